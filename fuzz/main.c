/*
 * A fuzz target as an ordinary test: runs it once over every file of the corpus directories that
 * the command line names. Linked where libFuzzer, which brings its own main, is not.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "target.h"

/* Each input is a heap block of its exact size, so that reading past its end is seen. */
static uint8_t *
read_file(const char *path, size_t bytes)
{
	uint8_t *data = malloc(bytes > 0 ? bytes : 1);
	FILE *file = fopen(path, "rb");

	if (data != NULL && file != NULL && fread(data, 1, bytes, file) == bytes) {
		fclose(file);
		return data;
	}
	if (file != NULL)
		fclose(file);
	free(data);
	return NULL;
}

/* Returns the number of inputs run: 1, or 0 for what is not a file, or -1 after an error. */
static int
run_file(const char *path)
{
	struct stat info;
	uint8_t *data;

	if (stat(path, &info) != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(info.st_mode))
		return 0;
	data = read_file(path, (size_t)info.st_size);
	if (data == NULL) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return -1;
	}
	fprintf(stderr, "%s\n", path); /* After a crash, the last one is the culprit. */
	LLVMFuzzerTestOneInput(data, (size_t)info.st_size);
	free(data);
	return 1;
}

/* Returns the number of inputs run, or -1 after an error. Names that begin with a dot are left
 * out. */
static int
run_directory(const char *directory)
{
	struct dirent **entries;
	int entries_count = scandir(directory, &entries, NULL, alphasort);
	int ran = 0;

	if (entries_count < 0) {
		fprintf(stderr, "%s: not a corpus directory: %s\n", directory, strerror(errno));
		return -1;
	}
	for (int i = 0; i < entries_count; i++) {
		if (ran >= 0 && entries[i]->d_name[0] != '.') {
			char path[4096];
			int result;

			snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
			result = run_file(path);
			ran = result < 0 ? -1 : ran + result;
		}
		free(entries[i]);
	}
	free(entries);
	if (ran == 0)
		fprintf(stderr, "%s: the corpus is empty\n", directory);
	return ran;
}

int
main(int argc, char **argv)
{
	int failed = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: %s CORPUS-DIRECTORY...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		if (run_directory(argv[i]) <= 0)
			failed = 1;
	}
	return failed;
}
