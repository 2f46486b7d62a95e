/* ports.c - a word of EXPOSE; pure, see dockerfile.h */
#include <ctrcompose/dockerfile.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int df_ports(const char *word, void (*each)(void *arg, const char *port), void *arg,
	     struct err *err)
{
	static const char *const known[] = { "tcp", "udp", "sctp" };
	const char *slash = strchr(word, '/'), *protocol = slash && slash[1] ? slash + 1 : "tcp";
	auto_free char *first = xstrndup(word, slash ? (size_t)(slash - word) : strlen(word));
	char *dash = strchr(first, '-');
	uint16_t from, to;
	size_t k = 0;

	if (dash)
		*dash = '\0';
	if (parse_port(first, &from) < 0 || parse_port(dash ? dash + 1 : first, &to) < 0 ||
	    to < from)
		return err_set(err, EINVAL, "'%s' is not a port", word);
	while (k < ARRAY_LEN(known) && strcasecmp(protocol, known[k]) != 0)
		k++;
	if (k == ARRAY_LEN(known))
		return err_set(err, EINVAL, "'%s': a port's protocol is tcp, udp or sctp", word);
	for (unsigned p = from; p <= to; p++) {
		auto_free char *port = xasprintf("%u/%s", p, known[k]);

		each(arg, port);
	}
	return 0;
}
