/* git.c - addresses of repositories, as ADD and contexts of builds have them; pure, see dockerfile.h */
#include <ctrcompose/dockerfile.h>

#include <string.h>

static const char name_chars[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

/* "user@host:path" */
static bool is_scp(const char *s)
{
	size_t user = strspn(s, name_chars),
	       host = s[user] == '@' ? strspn(s + user + 1, name_chars) : 0;

	return user > 0 && *s != '-' && host > 0 && s[user + 1] != '-' && s[user + 1 + host] == ':';
}

bool df_is_git(const char *s)
{
	size_t n = strcspn(s, "#?");

	if (str_starts(s, "git://") || str_starts(s, "ssh://") || str_starts(s, "github.com/"))
		return true;
	if (str_starts(s, "http://") || str_starts(s, "https://"))
		return n > 4 && strncmp(s + n - 4, ".git", 4) == 0;
	return is_scp(s);
}

int df_git_parse(struct arena *a, const char *text, struct df_git *out, struct err *err)
{
	size_t n = strcspn(text, "#?");
	const char *ref = text[n] == '#' ? text + n + 1 : "", *colon = strchr(ref, ':');
	size_t ref_len = colon ? (size_t)(colon - ref) : strlen(ref);
	struct df_git g = { 0 };

	for (const char *s = text; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return err_set(err, EINVAL, "'%s': blanks are not part of an address",
				       text);
	if (text[n] == '?')
		return err_set(err, ENOTSUP, "'%s': what to take stands behind #, as #REF:FOLDER",
			       text);
	if (*ref == '-')
		return err_set(err, EINVAL, "'%s': '%s' is no branch, tag or commit", text, ref);
	g.url = str_starts(text, "github.com/") ? arena_printf(a, "https://%.*s", (int)n, text)
						: arena_strndup(a, text, n);
	g.ref = ref_len ? arena_strndup(a, ref, ref_len) : NULL;
	g.folder = colon && colon[1] ? arena_strdup(a, colon + 1) : NULL;
	*out = g;
	return 0;
}
