/* stream.c - bytes through TCP, as fast as they go; static, for containers.
 *
 *   stream serve PORT           takes in whatever comes
 *   stream send IP PORT SECONDS prints GB/s
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 1 << 17 };

static void *drain(void *arg)
{
	static _Thread_local char buf[BLOCK];
	int fd = (int)(intptr_t)arg;

	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
	(void)close(fd);
	return NULL;
}

static int serve(int port)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	int fd = socket(AF_INET6, SOCK_STREAM, 0), on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 16) < 0) {
		perror("stream");
		return 1;
	}
	for (;;) {
		int c = accept(fd, NULL, NULL);
		pthread_t t;

		if (c >= 0 && pthread_create(&t, NULL, drain, (void *)(intptr_t)c) == 0)
			(void)pthread_detach(t);
	}
}

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int send_to(const char *ip, int port, double how_long)
{
	static char buf[BLOCK];
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	double start = seconds(), bytes = 0;

	(void)inet_pton(AF_INET, ip, &sa.sin_addr);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		perror("stream");
		return 1;
	}
	while (seconds() - start < how_long) {
		ssize_t n = send(fd, buf, sizeof(buf), 0);

		if (n <= 0)
			return 1;
		bytes += (double)n;
	}
	printf("%.2f\n", bytes / (seconds() - start) / 1e9);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve(atoi(argv[2]));
	if (argc == 5 && strcmp(argv[1], "send") == 0)
		return send_to(argv[2], atoi(argv[3]), atof(argv[4]));
	return 2;
}
