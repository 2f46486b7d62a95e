/* project.h - which files make up the project, where it lives and what it is called. */
#ifndef COMPOSE_PROJECT_H
#define COMPOSE_PROJECT_H

#include "loader.h"

struct project_files {
	struct source *files;
	size_t n_files;
};

/* Finds the files, fills *dotenv from .env, sets l->cwd, l->dir and l->name, and puts the name into
 * *env as COMPOSE_PROJECT_NAME. */
int project_find(struct load *l, struct env *env, struct env *dotenv, struct project_files *out,
		 struct err *err);
void project_list_files(struct load *l, const struct project_files *pf, struct list *out);

#endif
