/* rlimit.c - limits of processes by the names that people give them; pure */
#include <ctrcompose/box.h>

#include <string.h>
#include <sys/resource.h>

static const struct {
	const char *name;
	int resource;
} limits[] = {
	{ "as", RLIMIT_AS },
	{ "core", RLIMIT_CORE },
	{ "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE },
	{ "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE },
	{ "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC },
	{ "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME },
	{ "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

int box_rlimit_from(const char *name, int64_t soft, int64_t hard, struct box_rlimit *out,
		    struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		if (strcmp(limits[i].name, name) != 0)
			continue;
		if (soft < -1 || hard < -1 || (hard >= 0 && (soft < 0 || soft > hard)))
			return err_set(err, EINVAL, "ulimits.%s: soft %lld is above hard %lld",
				       name, (long long)soft, (long long)hard);
		*out = (struct box_rlimit){
			.resource = limits[i].resource,
			.soft = soft < 0 ? RLIM_INFINITY : (uint64_t)soft,
			.hard = hard < 0 ? RLIM_INFINITY : (uint64_t)hard,
			.must = true,
		};
		return 0;
	}
	return err_set(err, EINVAL, "ulimits: there is no limit called '%s'", name);
}
