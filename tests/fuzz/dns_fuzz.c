/* Any packet as a question: no crash, and an answer is a response to it, within its room. */
#include <ctrcompose/dns.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_zone *zone;
	struct dns_addr addr = { .family = AF_INET, .ip = { 10, 0, 0, 2 } };
	static const struct dns_alias aliases[] = { { "db", "web" } };
	struct dns_view view = {
		.n_zones = 1, .aliases = aliases, .n_aliases = 1, .forward = true
	};
	uint8_t out[512];
	size_t len = 0;

	if (!zone) {
		zone = dns_zone_new("net");
		(void)dns_zone_add(zone, "c1", "web", &addr, NULL);
		(void)dns_zone_add_ptr(zone, "c1", &addr, "web.net", NULL);
	}
	view.zones = (const struct dns_zone *const *)&zone;
	for (int tcp = 0; tcp < 2; tcp++) {
		if (dns_answer(&view, data, size, tcp, out, sizeof(out), &len) != DNS_ANSWERED)
			continue;
		if (len < 12 || len > sizeof(out) || memcmp(out, data, 2) != 0 || !(out[2] & 0x80))
			abort();
	}
	return 0;
}
