/* Any label, /etc/selinux/config and lxc_contexts: no crash; what comes out is a label again, whose
 * fields can't leave their places, and a folder's name. */
#include <ctrcompose/selinux.h>

#include <stdlib.h>
#include <string.h>

static void must_be_label(const char *text)
{
	auto_selinux_context struct selinux_context c = { 0 };
	auto_free char *again = NULL;

	if (selinux_context_parse(text, &c) < 0)
		abort();
	again = selinux_context_format(&c);
	if (strcmp(again, text) != 0 || strpbrk(text, " \t\r\n\"'\\/="))
		abort();
}

static void label(const char *text)
{
	auto_selinux_context struct selinux_context c = { 0 };
	struct selinux_pair p;

	if (selinux_context_parse(text, &c) == 0)
		must_be_label(text);
	if (selinux_pair_parse(text, &p) && (p.low >= p.high || p.high > 1023))
		abort();
}

static void policy(const char *text)
{
	auto_selinux_defaults struct selinux_defaults d = { 0 };
	auto_selinux_labels struct selinux_labels l = { 0 };
	auto_free char *type = NULL;

	if (selinux_config_type(text, &type) == 0 && (*type == '.' || strchr(type, '/') || !*type))
		abort();
	if (selinux_defaults_parse(text, &d) < 0)
		return;
	must_be_label(d.process);
	must_be_label(d.file);
	must_be_label(d.layer);
	/* The text is an option as well. */
	if (selinux_labels_make(&d, &text, 1, (struct selinux_pair){ 1, 2 }, &l, NULL) < 0)
		return;
	if (l.process)
		must_be_label(l.process);
	must_be_label(l.file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);

	label(text);
	policy(text);
	return 0;
}
