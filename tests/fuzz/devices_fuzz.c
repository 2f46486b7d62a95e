/* Any text as a device, a rule for devices, a ulimit, a rate of a block device and an option of a
 * volume: no crash; what is accepted lies within the bounds that the kernel's interfaces have. */
#include "load.h"

#include <ctrcompose/box.h>
#include <ctrcompose/cdi.h>
#include <ctrcompose/cgroup.h>
#include <ctrcompose/rootfs.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_devices(const struct service *svc)
{
	for (size_t i = 0; i < svc->n_devices; i++) {
		const struct service_device *d = &svc->devices[i];

		if (*d->source != '/' || *d->target != '/' || !*d->permissions ||
		    strspn(d->permissions, "rwm") != strlen(d->permissions))
			abort();
	}
}

/* What is accepted means names, and only under the driver cdi somebody else's word for them. */
static void check_requests(const struct service *svc)
{
	auto_cdi struct cdi *c = cdi_new();

	for (size_t i = 0; i < svc->n_requests; i++) {
		const struct cdi_request r = compose_cdi_request(&svc->requests[i]);
		auto_strs struct strs names = { 0 };
		auto_cdi_edits struct cdi_edits e = { 0 };

		if (cdi_request_problem(&r))
			abort();
		cdi_names(c, &r, &names);
		if (names.n > CDI_ITEMS_MAX || (names.n && cdi_resolve(c, &names, &e, NULL) == 0))
			abort(); /* there are no specs */
	}
}

static void check_rule(const char *text)
{
	struct cgroup_device rule;

	if (!cgroup_device_parse(text, &rule))
		return;
	if (!strchr("abc", rule.type) || rule.major < -1 || rule.major > INT32_MAX ||
	    rule.minor < -1 || rule.minor > INT32_MAX || !*rule.access || strlen(rule.access) > 3)
		abort();
}

static void check_ulimits(const struct service *svc)
{
	for (size_t i = 0; i < svc->n_ulimits; i++) {
		struct box_rlimit limit;

		(void)box_rlimit_from(svc->ulimits[i].name, svc->ulimits[i].soft,
				      svc->ulimits[i].hard, &limit, NULL);
	}
}

/* One key at a time: a value that one refuses must not hide what another does with it. */
static void try_key(const char *before, const uint8_t *data, size_t size, const char *after)
{
	static const char *const none[] = { NULL };
	auto_project struct project *p = NULL;
	auto_sbuf struct sbuf text = SBUF_INIT;

	sbuf_addf(&text, "services: { a: { image: i, %s\"", before);
	fuzz_quote(data, size, &text);
	sbuf_addf(&text, "\"%s } }\n", after);
	if (fuzz_load(text.s, text.len, none, &p, NULL) < 0 || compose_check_supported(p, NULL) < 0)
		return;
	check_devices(&p->services[0]);
	check_requests(&p->services[0]);
	check_ulimits(&p->services[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	struct rootfs_fs_options o;

	check_rule(text);
	if (rootfs_fs_parse(text, &o, NULL) == 0)
		rootfs_fs_options_clear(&o);
	try_key("devices: [", data, size, "]");
	try_key("gpus: [{ driver: nvidia, device_ids: [", data, size, "] }]");
	try_key("gpus: [{ driver: ", data, size, ", count: 2 }]");
	try_key("gpus: [{ capabilities: [", data, size, "], count: 2 }]");
	try_key("device_cgroup_rules: [", data, size, "]");
	try_key("ulimits: { nofile: ", data, size, "}");
	try_key("ulimits: { ", data, size, ": 5 }");
	try_key("blkio_config: { device_read_bps: [{ path: /dev/x, rate: ", data, size, "}] }");
	try_key("storage_opt: { size: ", data, size, "}");
	return 0;
}
