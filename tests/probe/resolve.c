/* resolve.c - what getaddrinfo(3) of this C library says: one address a line. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM }, *list;
	int r = argc == 2 ? getaddrinfo(argv[1], NULL, &want, &list) : EAI_FAIL;

	if (r != 0) {
		puts(gai_strerror(r));
		return 1;
	}
	for (; list; list = list->ai_next) {
		char host[INET6_ADDRSTRLEN] = "";

		if (getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof(host), NULL, 0,
				NI_NUMERICHOST) == 0)
			puts(host);
	}
	return 0;
}
