/* board.c - answers each request with $GREETING. --check: whether it does. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT = 8080 };

static struct sockaddr_in address(unsigned long host)
{
	struct sockaddr_in a;

	memset(&a, 0, sizeof(a));
	a.sin_family = AF_INET;
	a.sin_port = htons(PORT);
	a.sin_addr.s_addr = htonl(host);
	return a;
}

static int check(void)
{
	struct sockaddr_in a = address(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char got[16] = "";

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    write(fd, "GET /\r\n\r\n", 9) != 9)
		return 1;
	return read(fd, got, sizeof(got)) < 12 || memcmp(got, "HTTP/1.0 200", 12) != 0;
}

int main(int argc, char **argv)
{
	const char *greeting = getenv("GREETING");
	struct sockaddr_in a = address(INADDR_ANY);
	int one = 1, fd;

	if (argc > 1 && strcmp(argv[1], "--check") == 0)
		return check();
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 64) < 0) {
		perror("board");
		return 1;
	}
	for (;;) {
		char in[4096], out[4096];
		int c = accept(fd, NULL, NULL), n;

		if (c < 0)
			continue;
		if (read(c, in, sizeof(in)) > 0) {
			n = snprintf(out, sizeof(out),
				     "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n%.2000s\n",
				     greeting ? greeting : "");
			if (write(c, out, n) != n)
				perror("board");
		}
		close(c);
	}
}
