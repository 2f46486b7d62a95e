/* store.c - all specs of a machine, and who of them has a device; see cdi.h */
#include "private.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct cdi *cdi_new(void)
{
	return xcalloc(1, sizeof(struct cdi));
}

void cdi_free(struct cdi *c)
{
	if (!c)
		return;
	free(c->specs.v);
	arena_free(&c->arena);
	free(c);
}

void auto_cdi_fn(struct cdi **c)
{
	cdi_free(*c);
}

static struct cdi_spec *new_spec(struct cdi *c, unsigned folder, const char *file)
{
	struct cdi_spec *s = arena_alloc(&c->arena, sizeof(*s));

	s->folder = folder;
	s->file = arena_strdup(&c->arena, file);
	*vec_push(&c->specs) = s;
	return s;
}

void cdi_add(struct cdi *c, unsigned folder, const char *file, const char *text, size_t len)
{
	auto_err struct err err = ERR_INIT;
	struct cdi_spec *s = new_spec(c, folder, file);

	if (cdi_parse(&c->arena, s->file, text, len, s, &err) < 0)
		s->broken = arena_strdup(&c->arena, err_text(&err));
}

/* ---- Folders ----------------------------------------------------------------------------------- */
static void add_file(struct cdi *c, unsigned folder, const char *dir, const char *name)
{
	auto_free char *file = path_join(dir, name), *text = NULL;
	/* It may be anything: never wait for a FIFO. */
	auto_close int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st = { 0 };
	size_t len = 0;
	int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

	if (r == 0 && !S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r == 0)
		r = file_read(AT_FDCWD, file, CDI_FILE_MAX, &text, &len);
	if (r == 0)
		cdi_add(c, folder, file, text, len);
	else
		new_spec(c, folder, file)->broken =
			arena_printf(&c->arena, "%s: %s", file, strerror(-r));
}

static void add_folder(struct cdi *c, unsigned folder, const char *path)
{
	auto_strs struct strs names = { 0 };
	DIR *d = opendir(path);
	const struct dirent *e;

	if (!d && errno != ENOENT)
		new_spec(c, folder, path)->broken =
			arena_printf(&c->arena, "%s: %s", path, strerror(errno));
	while (d && (e = readdir(d)))
		if (*e->d_name != '.' &&
		    (str_ends(e->d_name, ".json") || str_ends(e->d_name, ".yaml")))
			strs_add(&names, e->d_name);
	if (d)
		(void)closedir(d);
	strs_sort(&names);
	for (size_t i = 0; i < names.n && i < CDI_FILES_MAX; i++)
		add_file(c, folder, path, names.v[i]);
	if (names.n > CDI_FILES_MAX)
		new_spec(c, folder, path)->broken =
			arena_printf(&c->arena, "%s: more than %d spec files", path, CDI_FILES_MAX);
}

struct cdi *cdi_load(void)
{
	const char *given = getenv("CTRCOMPOSE_CDI");
	struct cdi *c = cdi_new();
	auto_free char *list = xstrdup(given && *given ? given : CDI_DIRS);
	char *save = NULL;
	unsigned n = 0;

	c->folders = arena_strdup(&c->arena, list);
	for (char *dir = strtok_r(list, ":", &save); dir; dir = strtok_r(NULL, ":", &save))
		add_folder(c, n++, dir);
	return c;
}

const char *cdi_folders(const struct cdi *c)
{
	return c->folders ? c->folders : CDI_DIRS;
}

/* ---- Search ------------------------------------------------------------------------------------ */
bool cdi_has_kind(const struct cdi *c, const char *kind)
{
	for (size_t i = 0; i < c->specs.n; i++)
		if (str_eq(c->specs.v[i]->kind, kind))
			return true;
	return false;
}

static const struct cdi_device *device_of(const struct cdi_spec *s, const char *name)
{
	for (size_t i = 0; !s->broken && i < s->devices.n; i++)
		if (strcmp(s->devices.v[i].name, name) == 0)
			return &s->devices.v[i];
	return NULL;
}

/* In the last folder that has it; *rival is another spec of that folder that has it, or NULL. */
static const struct cdi_spec *owner(const struct cdi *c, const char *kind, const char *name,
				    const struct cdi_spec **rival)
{
	const struct cdi_spec *found = NULL;

	*rival = NULL;
	for (size_t i = 0; i < c->specs.n; i++) {
		const struct cdi_spec *s = c->specs.v[i];

		if (!str_eq(s->kind, kind) || !device_of(s, name))
			continue;
		*rival = found && found->folder == s->folder ? found : NULL;
		found = s;
	}
	return found;
}

/* What there is instead. */
static int missing(const struct cdi *c, const char *name, const char *kind, struct err *err)
{
	auto_sbuf struct sbuf b = SBUF_INIT;
	auto_strs struct strs all = { 0 };
	bool same = cdi_has_kind(c, kind);
	const char *sep = same ? ": there are " : ", only ";

	cdi_devices(c, &all);
	sbuf_addf(&b, "there is no CDI device %s", name);
	for (size_t i = 0; i < all.n; i++) {
		if (same && !(str_starts(all.v[i], kind) && all.v[i][strlen(kind)] == '='))
			continue;
		sbuf_addf(&b, "%s%s", sep, all.v[i]);
		sep = ", ";
	}
	if (all.n == 0)
		sbuf_addf(&b, ", nor any other in %s", cdi_folders(c));
	for (size_t i = 0; i < c->specs.n; i++)
		if (c->specs.v[i]->broken && !c->specs.v[i]->kind)
			sbuf_addf(&b, "; %s", c->specs.v[i]->broken);
	if (!same && str_starts(kind, "nvidia.com/"))
		sbuf_adds(&b, "; a spec is made by `nvidia-ctk cdi generate "
			      "--output=/etc/cdi/nvidia.yaml`");
	return err_set(err, -ENOENT, "%s", sbuf_str(&b));
}

int cdi_find(const struct cdi *c, const char *name, const struct cdi_spec **spec,
	     const struct cdi_device **device, struct err *err)
{
	size_t len = cdi_kind_len(name);
	auto_free char *kind = xstrndup(name, len);
	const struct cdi_spec *found, *rival;

	if (len == 0)
		return err_set(err, -ENOENT, "'%s' is not the name of a CDI device like %s", name,
			       "vendor.com/class=name");
	for (size_t i = 0; i < c->specs.n; i++)
		if (c->specs.v[i]->broken && str_eq(c->specs.v[i]->kind, kind))
			return err_set(err, -EBADMSG, "CDI device %s: %s", name,
				       c->specs.v[i]->broken);
	found = owner(c, kind, name + len + 1, &rival);
	if (!found)
		return missing(c, name, kind, err);
	if (rival)
		return err_set(err, -EEXIST, "CDI device %s: both %s and %s have it", name,
			       rival->file, found->file);
	*spec = found;
	*device = device_of(found, name + len + 1);
	return 0;
}

/* ---- For a person ------------------------------------------------------------------------------ */
static void each_name(const struct cdi *c, struct strs *out)
{
	auto_map struct map seen = { 0 };

	for (size_t i = 0; i < c->specs.n; i++) {
		const struct cdi_spec *s = c->specs.v[i];

		for (size_t k = 0; !s->broken && k < s->devices.n; k++) {
			auto_free char *name = xasprintf("%s=%s", s->kind, s->devices.v[k].name);

			if (!map_has(&seen, name))
				strs_add(out, name);
			map_put(&seen, name, out);
		}
	}
	strs_sort(out);
}

void cdi_devices(const struct cdi *c, struct strs *out)
{
	auto_strs struct strs all = { 0 };
	const struct cdi_spec *spec;
	const struct cdi_device *device;

	each_name(c, &all);
	for (size_t i = 0; i < all.n; i++)
		if (cdi_find(c, all.v[i], &spec, &device, NULL) == 0)
			strs_add(out, all.v[i]);
}

void cdi_problems(const struct cdi *c, struct strs *out)
{
	auto_strs struct strs all = { 0 };
	const struct cdi_spec *spec;
	const struct cdi_device *device;

	for (size_t i = 0; i < c->specs.n; i++)
		if (c->specs.v[i]->broken)
			strs_add(out, c->specs.v[i]->broken);
	each_name(c, &all);
	for (size_t i = 0; i < all.n; i++) {
		auto_err struct err err = ERR_INIT;

		if (cdi_find(c, all.v[i], &spec, &device, &err) == -EEXIST)
			strs_add(out, err_text(&err));
	}
}
