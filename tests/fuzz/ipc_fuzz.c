/* Any row of packets: frames are what the packets held together, never longer than the bound. The
 * input is a row of packets, each after two bytes with its length. */
#include "../../pkg/ipc/ipc_priv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the frame should be, by simpler means. */
struct expected {
	struct sbuf text;
};

static void feed(struct ipc_conn *conn, struct expected *e, const char *bytes, size_t len)
{
	int r = conn_feed(conn, bytes, len);

	if (r < 0) {
		if (r != -EPROTO)
			abort();
		conn_reset_input(conn);
		e->text.len = 0;
		return;
	}
	sbuf_add(&e->text, bytes + 1, len - 1);
	if (conn->in.len > IPC_FRAME_MAX || conn->in.len != e->text.len)
		abort();
	if (r != (bytes[0] == PACKET_LAST))
		abort();
	if (r == 0)
		return;
	if (memcmp(conn->in.s, e->text.s, e->text.len) != 0 || conn->in.s[conn->in.len])
		abort();
	conn_reset_input(conn);
	e->text.len = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipc_conn *conn = conn_new(-1, NULL);
	struct expected e = { SBUF_INIT };

	while (size >= 2) {
		size_t len = (size_t)data[0] << 8 | data[1];
		char *packet; /* of its own, so that reading beyond it is found */

		data += 2;
		size -= 2;
		len = len < size ? len : size;
		packet = xmalloc(len + !len);
		memcpy(packet, data, len);
		feed(conn, &e, packet, len);
		free(packet);
		data += len;
		size -= len;
	}
	sbuf_clear(&e.text);
	ipc_close(conn);
	return 0;
}
