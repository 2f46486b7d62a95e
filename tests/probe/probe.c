/* probe.c - what a container looks like from inside, one fact a line; a static program for the tests.
 *
 *   probe               the whole report
 *   probe overwrite P   try every way to write the file behind P; "refused" or "WRITTEN"
 *   probe eat MB        touch so much memory
 *   probe forks N       try to have N children at once; prints how many there were
 *   probe frame HEX...  send each as a frame by eth0, as it is
 *   probe hear PORT N   wait for N datagrams; prints "ADDRESS TEXT" for each
 *   probe echo PORT     send each datagram back
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *word(int error)
{
	const char *name = strerrorname_np(error);

	return error == 0 ? "OK" : name ? name : "?";
}

/* ---- System calls ------------------------------------------------------------------------------ */
enum abi { X86_64, I386, X32, ABIS };
static const char *const abi_names[] = { "x86_64", "i386", "x32" };

/* Arguments that no call takes, but for those of which the arguments are the point. */
static const struct call {
	const char *name;
	int nr[2]; /* x86_64 (and x32), i386; -1: not there */
	long a, b, c;
} calls[] = {
	{ "acct", { 163, 51 }, -1, -1, -1 },
	{ "add_key", { 248, 286 }, -1, -1, -1 },
	{ "bpf", { 321, 357 }, -1, -1, -1 },
	{ "clock_settime", { 227, 264 }, -1, -1, -1 },
	{ "clone(NEWUSER)", { 56, 120 }, 0x10000011, 0, 0 },
	{ "clone(NEWNS)", { 56, 120 }, 0x00020011, 0, 0 },
	{ "clone(NEWPID)", { 56, 120 }, 0x20000011, 0, 0 },
	{ "clone3", { 435, 435 }, -1, -1, -1 },
	{ "create_module", { 174, 127 }, -1, -1, -1 },
	{ "delete_module", { 176, 129 }, -1, -1, -1 },
	{ "fanotify_init", { 300, 338 }, -1, -1, -1 },
	{ "finit_module", { 313, 350 }, -1, -1, -1 },
	{ "fsconfig", { 431, 431 }, -1, -1, -1 },
	{ "fsmount", { 432, 432 }, -1, -1, -1 },
	{ "fsopen", { 430, 430 }, -1, -1, -1 },
	{ "fspick", { 433, 433 }, -1, -1, -1 },
	{ "get_kernel_syms", { 177, 130 }, -1, -1, -1 },
	{ "get_mempolicy", { 239, 275 }, -1, -1, -1 },
	{ "init_module", { 175, 128 }, -1, -1, -1 },
	{ "io_uring_enter", { 426, 426 }, -1, -1, -1 },
	{ "io_uring_register", { 427, 427 }, -1, -1, -1 },
	{ "io_uring_setup", { 425, 425 }, -1, -1, -1 },
	{ "ioperm", { 173, 101 }, -1, -1, -1 },
	{ "iopl", { 172, 110 }, 3, 0, 0 },
	{ "kcmp", { 312, 349 }, -1, -1, -1 },
	{ "kexec_file_load", { 320, -1 }, -1, -1, -1 },
	{ "kexec_load", { 246, 283 }, -1, -1, -1 },
	{ "keyctl", { 250, 288 }, 0, -3, 0 },
	{ "lookup_dcookie", { 212, 253 }, -1, -1, -1 },
	{ "mbind", { 237, 274 }, -1, -1, -1 },
	{ "migrate_pages", { 256, 294 }, -1, -1, -1 },
	{ "mount", { 165, 21 }, -1, -1, -1 },
	{ "mount_setattr", { 442, 442 }, -1, -1, -1 },
	{ "move_mount", { 429, 429 }, -1, -1, -1 },
	{ "move_pages", { 279, 317 }, -1, -1, -1 },
	{ "nfsservctl", { 180, 169 }, -1, -1, -1 },
	{ "open_by_handle_at", { 304, 342 }, -1, -1, -1 },
	{ "open_tree", { 428, 428 }, -1, -1, -1 },
	{ "perf_event_open", { 298, 336 }, -1, -1, -1 },
	{ "personality(NORAND)", { 135, 136 }, 0x0040000, 0, 0 },
	{ "pidfd_getfd", { 438, 438 }, -1, -1, -1 },
	{ "pivot_root", { 155, 217 }, -1, -1, -1 },
	{ "process_madvise", { 440, 440 }, -1, -1, -1 },
	{ "query_module", { 178, 167 }, -1, -1, -1 },
	{ "quotactl", { 179, 131 }, -1, -1, -1 },
	{ "quotactl_fd", { 443, 443 }, -1, -1, -1 },
	{ "reboot", { 169, 88 }, -1, -1, -1 },
	{ "request_key", { 249, 287 }, -1, -1, -1 },
	{ "set_mempolicy", { 238, 276 }, -1, -1, -1 },
	{ "setdomainname", { 171, 121 }, -1, -1, -1 },
	{ "sethostname", { 170, 74 }, -1, -1, -1 },
	{ "setns", { 308, 346 }, -1, -1, -1 },
	{ "settimeofday", { 164, 79 }, -1, -1, -1 },
	{ "socket(ALG)", { 41, 359 }, 38, 5, 0 },
	{ "socket(VSOCK)", { 41, 359 }, 40, 1, 0 },
	{ "stime", { -1, 25 }, -1, -1, -1 },
	{ "swapoff", { 168, 115 }, -1, -1, -1 },
	{ "swapon", { 167, 87 }, -1, -1, -1 },
	{ "sysctl", { 156, 149 }, -1, -1, -1 },
	{ "sysfs", { 139, 135 }, -1, -1, -1 },
	{ "syslog", { 103, 103 }, 3, -1, -1 },
	{ "umount", { -1, 22 }, -1, -1, -1 },
	{ "umount2", { 166, 52 }, -1, -1, -1 },
	{ "unshare(NEWUSER)", { 272, 310 }, 0x10000000, 0, 0 },
	{ "unshare(NEWNET)", { 272, 310 }, 0x40000000, 0, 0 },
	{ "uselib", { 134, 86 }, -1, -1, -1 },
	{ "userfaultfd", { 323, 374 }, 1, 0, 0 },
	{ "ustat", { 136, 62 }, -1, -1, -1 },
	{ "vhangup", { 153, 111 }, 0, 0, 0 },
	{ "vm86", { -1, 166 }, -1, -1, -1 },
	{ "newer than all", { 2000, 2000 }, -1, -1, -1 },
};

static long call_i386(int nr, long a, long b, long c)
{
	long r = -ENOSYS;

#ifdef __x86_64__
	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"((long)nr), "b"(a), "c"(b), "d"(c), "S"(0L), "D"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	r = (int)r;
#endif
	return r;
}

static long call_64(int nr, long a, long b, long c)
{
	long r = syscall(nr, a, b, c, 0L, 0L, 0L);

	return r < 0 ? -errno : r;
}

/* In a child, since it may succeed. */
static void try_call(const struct call *c, enum abi abi)
{
	int nr = c->nr[abi == I386], status;
	pid_t pid;

	if (nr < 0)
		return;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		long r = abi == I386 ? call_i386(nr, c->a, c->b, c->c)
				     : call_64(abi == X32 ? nr | 0x40000000 : nr, c->a, c->b, c->c);

		_exit(r < 0 ? (int)-r & 0xff : 0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	printf("syscall %s %s %s\n", abi_names[abi], c->name,
	       WIFSIGNALED(status) ? "NOABI" : word(WEXITSTATUS(status)));
}

/* ---- Files ------------------------------------------------------------------------------------- */
static void lines(const char *file, const char *prefix, const char *const *keys)
{
	FILE *f = fopen(file, "re");
	char line[4096];

	while (f && fgets(line, sizeof(line), f)) {
		bool wanted = !keys;

		for (size_t i = 0; keys && keys[i]; i++)
			wanted = wanted || strncmp(line, keys[i], strlen(keys[i])) == 0;
		for (char *p = line; *p; p++)
			*p = *p == '\t' ? ' ' : *p;
		if (wanted)
			printf("%s %s", prefix, line);
	}
	if (f)
		fclose(f);
	else
		printf("%s %s\n", prefix, word(errno));
}

static void try_open(const char *kind, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	printf("%s %s %s\n", kind, path, word(fd < 0 ? errno : 0));
	if (fd >= 0)
		close(fd);
}

/* Absent, or nothing in it. */
static void masked(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char byte;

	if (fd < 0) {
		printf("masked %s %s\n", path, word(errno));
		return;
	}
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		DIR *d = fdopendir(fd);
		int n = 0;

		while (d && readdir(d))
			n++;
		printf("masked %s %s\n", path, n <= 2 ? "EMPTY" : "VISIBLE");
		if (d)
			closedir(d);
		return;
	}
	printf("masked %s %s\n", path, read(fd, &byte, 1) == 1 ? "VISIBLE" : "EMPTY");
	close(fd);
}

static void list(const char *prefix, const char *dir, bool links)
{
	struct dirent **v;
	int n = scandir(dir, &v, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char path[600], to[600] = "";

		snprintf(path, sizeof(path), "%s/%s", dir, v[i]->d_name);
		if (v[i]->d_name[0] != '.' && (!links || readlink(path, to, sizeof(to) - 1) > 0))
			printf("%s %s%s%s\n", prefix, v[i]->d_name, links ? " " : "", to);
	}
}

static void make_node(const char *what, mode_t type, unsigned major_nr, unsigned minor_nr)
{
	static const char path[] = "/tmp/.probe-node";
	int r = mknod(path, type | 0600, makedev(major_nr, minor_nr)) < 0 ? errno : 0;

	printf("mknod %s %s\n", what, word(r));
	if (r == 0) {
		try_open("mknod-open", path, O_RDONLY);
		unlink(path);
	}
}

static void report_limits(void)
{
	static const char *const names[] = { "cpu",      "fsize", "data",   "stack",
					     "core",     "rss",   "nproc",  "nofile",
					     "memlock",  "as",    "locks",  "sigpending",
					     "msgqueue", "nice",  "rtprio", "rttime" };

	for (int i = 0; i < 16; i++) {
		struct rlimit l;

		if (getrlimit(i, &l) == 0)
			printf("limit %s %lld %lld\n", names[i], (long long)l.rlim_cur,
			       (long long)l.rlim_max);
	}
}

static void report(void)
{
	static const char *const status[] = { "Cap", "NoNewPrivs", "Seccomp:", "Groups", "Uid",
					      "Gid", "SigBlk",     "SigIgn",   "Umask",  NULL };
	static const char *const hidden[] = {
		"/proc/acpi",
		"/proc/asound",
		"/proc/interrupts",
		"/proc/kcore",
		"/proc/keys",
		"/proc/latency_stats",
		"/proc/sched_debug",
		"/proc/scsi",
		"/proc/timer_list",
		"/proc/timer_stats",
		"/sys/devices/virtual/powercap",
		"/sys/firmware",
		"/sys/fs/selinux",
		"/sys/devices/system/cpu/cpu0/thermal_throttle",
	};
	static const char *const closed[] = {
		"/proc/sys/kernel/core_pattern",
		"/proc/sys/kernel/modprobe",
		"/proc/sys/kernel/hotplug",
		"/proc/sys/vm/panic_on_oom",
		"/proc/sys/fs/binfmt_misc/register",
		"/proc/sys/net/ipv4/ip_forward",
		"/proc/sysrq-trigger",
		"/proc/irq/default_smp_affinity",
		"/proc/bus/pci/00/00.0",
		"/proc/fs/ext4",
		"/sys/kernel/uevent_helper",
		"/sys/kernel/mm/ksm/run",
		"/sys/power/state",
		"/sys/fs/cgroup/release_agent",
		"/sys/fs/cgroup/memory/release_agent",
		"/sys/fs/cgroup/memory/memory.limit_in_bytes",
		"/sys/fs/cgroup/devices/devices.allow",
		"/sys/fs/cgroup/cgroup.procs",
		"/sys/fs/cgroup/memory.max",
	};
	static const char *const nodes[] = { "/dev/null",   "/dev/zero",    "/dev/full",
					     "/dev/random", "/dev/urandom", "/dev/tty",
					     "/dev/ptmx" };
	char cwd[4096];

	list("namespace", "/proc/self/ns", true);
	lines("/proc/self/uid_map", "uid_map", NULL);
	lines("/proc/self/gid_map", "gid_map", NULL);
	lines("/proc/self/status", "status", status);
	for (int abi = 0; abi < ABIS; abi++)
		for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
			try_call(&calls[i], abi);
	lines("/proc/self/mountinfo", "mount", NULL);
	list("dev", "/dev", false);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		try_open("open", nodes[i], O_RDWR);
	make_node("disk", S_IFBLK, 8, 0);
	make_node("mem", S_IFCHR, 1, 1);
	make_node("kmsg", S_IFCHR, 1, 11);
	make_node("fuse", S_IFCHR, 10, 229);
	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
		masked(hidden[i]);
	for (size_t i = 0; i < sizeof(closed) / sizeof(*closed); i++)
		try_open("write", closed[i], O_WRONLY);
	list("fd", "/proc/self/fd", true);
	for (char **e = environ; *e; e++)
		printf("env %s\n", *e);
	report_limits();
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : word(errno));
	printf("pid %d\n", (int)getpid());
	lines("/proc/self/oom_score_adj", "oom_score_adj", NULL);
}

/* ---- Attempts ----------------------------------------------------------------------------------- */
static int overwrite(const char *path)
{
	static const int ways[] = { O_WRONLY, O_RDWR, O_WRONLY | O_TRUNC, O_WRONLY | O_APPEND };
	int held = open(path, O_RDONLY | O_CLOEXEC), fd;
	char again[64];
	bool got = false;

	snprintf(again, sizeof(again), "/proc/self/fd/%d", held);
	for (int i = 0; i < 8; i++) {
		fd = open(i < 4 ? path : again, ways[i % 4] | O_CLOEXEC);
		if (fd >= 0 && write(fd, "#!/evil\n", 8) == 8)
			got = true;
	}
	/* Also once the file is executed by nobody any more. */
	if (held >= 0 && (fchmod(held, 0777) == 0 || ftruncate(held, 0) == 0))
		got = got || (fd = open(again, O_WRONLY | O_CLOEXEC)) >= 0;
	if (held >= 0) {
		void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, held, 0);

		got = got || p != MAP_FAILED;
	}
	puts(got ? "WRITTEN" : "refused");
	return got;
}

static int eat(size_t mb)
{
	for (size_t i = 0; i < mb; i++) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		if (p == MAP_FAILED)
			return 3;
		memset(p, 1, 1 << 20);
	}
	puts("eaten");
	return 0;
}

static int forks(int wanted)
{
	int n = 0;

	while (n < wanted) {
		pid_t pid = fork();

		if (pid == 0) {
			pause();
			_exit(0);
		}
		if (pid < 0)
			break;
		n++;
	}
	printf("%d %s\n", n, word(n < wanted ? errno : 0));
	fflush(stdout);
	signal(SIGTERM, SIG_IGN);
	return 0;
}

static int frame(const char *hex)
{
	struct sockaddr_ll sa = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)if_nametoindex("eth0") };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	uint8_t bytes[1500];
	size_t n = 0;
	unsigned b;

	while (n < sizeof(bytes) && sscanf(hex + 2 * n, "%2x", &b) == 1)
		bytes[n++] = (uint8_t)b;
	if (fd < 0 || sendto(fd, bytes, n, 0, (struct sockaddr *)&sa, sizeof(sa)) != (ssize_t)n) {
		puts(word(errno));
		return 1;
	}
	(void)close(fd);
	return 0;
}

static int hear(int port, int wanted)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return 1;
	puts("listening");
	fflush(stdout);
	while (wanted-- > 0) {
		char text[1500], from[INET_ADDRSTRLEN] = "";
		socklen_t len = sizeof(sa);
		ssize_t n = recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&sa, &len);

		printf("%s %.*s\n", inet_ntop(AF_INET, &sa.sin_addr, from, sizeof(from)), (int)n,
		       text);
		fflush(stdout);
	}
	return 0;
}

static int echo(int port)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return 1;
	for (;;) {
		char text[1500];
		socklen_t len = sizeof(sa);
		ssize_t n = recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&sa, &len);

		if (n >= 0)
			(void)sendto(fd, text, (size_t)n, 0, (struct sockaddr *)&sa, len);
	}
}

int main(int argc, char **argv)
{
	if (argc == 1)
		report();
	else if (argc == 2 && strcmp(argv[1], "i386") == 0) /* is it there at all? */
		try_call(&(struct call){ "getpid", { 39, 20 }, 0, 0, 0 }, I386);
	else if (argc == 3 && strcmp(argv[1], "overwrite") == 0)
		return overwrite(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "eat") == 0)
		return eat((size_t)atoi(argv[2]));
	else if (argc == 3 && strcmp(argv[1], "forks") == 0)
		return forks(atoi(argv[2]));
	else if (argc > 2 && strcmp(argv[1], "frame") == 0)
		for (int i = 2; i < argc; i++) {
			if (frame(argv[i]) != 0)
				return 1;
		}
	else if (argc == 4 && strcmp(argv[1], "hear") == 0)
		return hear(atoi(argv[2]), atoi(argv[3]));
	else if (argc == 3 && strcmp(argv[1], "echo") == 0)
		return echo(atoi(argv[2]));
	else
		return 2;
	return 0;
}
