/* map.c - open addressing over an array of entries in order of insertion; see base.h */
#include <ctrcompose/base.h>

#include <stdlib.h>
#include <string.h>

/* A slot holds the entry's index + 1; 0 is free. Removed entries keep their slot as a tombstone. */

static size_t slot_of(const struct map *m, const char *key)
{
	size_t i = str_hash(key) & (m->n_slots - 1);

	while (m->slots[i]) {
		const struct map_entry *e = &m->entries[m->slots[i] - 1];

		if (e->key && strcmp(e->key, key) == 0)
			break;
		i = (i + 1) & (m->n_slots - 1);
	}
	return i;
}

static void rehash(struct map *m)
{
	size_t live = 0;

	for (size_t i = 0; i < m->n; i++)
		if (m->entries[i].key)
			m->entries[live++] = m->entries[i];
	m->n = live;
	while (m->n_slots < 16 || m->n_slots < (live + 1) * 2)
		m->n_slots = m->n_slots ? m->n_slots * 2 : 16;
	free(m->slots);
	m->slots = xcalloc(m->n_slots, sizeof(*m->slots));
	for (size_t i = 0; i < m->n; i++)
		m->slots[slot_of(m, m->entries[i].key)] = (uint32_t)i + 1;
}

static struct map_entry *find(const struct map *m, const char *key)
{
	size_t slot;

	if (m->n_slots == 0)
		return NULL;
	slot = slot_of(m, key);
	return m->slots[slot] ? &m->entries[m->slots[slot] - 1] : NULL;
}

void *map_get(const struct map *m, const char *key)
{
	const struct map_entry *e = find(m, key);

	return e ? e->value : NULL;
}

bool map_has(const struct map *m, const char *key)
{
	return find(m, key) != NULL;
}

void map_put(struct map *m, const char *key, void *value)
{
	struct map_entry *e = find(m, key);

	if (e) {
		e->value = value;
		return;
	}
	if ((m->n + 1) * 2 > m->n_slots)
		rehash(m);
	m->entries = vec_reserve_(m->entries, m->n, &m->cap, sizeof(*m->entries));
	e = &m->entries[m->n++];
	*e = (struct map_entry){ xstrdup(key), value };
	m->live++;
	m->slots[slot_of(m, key)] = (uint32_t)m->n;
}

void *map_remove(struct map *m, const char *key)
{
	struct map_entry *e = find(m, key);
	void *value;

	if (!e)
		return NULL;
	value = e->value;
	free(e->key);
	*e = (struct map_entry){ NULL, NULL };
	m->live--;
	return value;
}

void map_clear(struct map *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->entries[i].key);
	free(m->entries);
	free(m->slots);
	*m = (struct map){ 0 };
}
