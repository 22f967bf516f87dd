/*
 * Readers lock one of the bytes 123 to 127 of PATH-shm, as "WAL-mode File Format" of SQLite says.
 * The kernel lists such locks in /proc/locks. The file itself is not opened here: closing it would
 * release SQLite's own locks.
 */
#include "readers.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <herald/adapter/text.h>

#define FIRST_READER_BYTE 123
#define LAST_READER_BYTE 127

static void
read_name(long pid, char *name, size_t bytes)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	snprintf(name, bytes, "?");
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(name, (int)bytes, file))
		name[strcspn(name, "\n")] = '\0';
	fclose(file);
}

/* A line such as "1: POSIX  ADVISORY  READ 1234 fd:00:56789 124 124". */
static long
reader_of_line(const char *line, const struct stat *shm)
{
	unsigned major_number, minor_number;
	unsigned long inode, first, last;
	long pid;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel has written it. */
	if (sscanf(line, "%*u: POSIX ADVISORY READ %ld %x:%x:%lu %lu %lu", &pid, &major_number,
		   &minor_number, &inode, &first, &last) != 6)
		return 0;
	if (inode != shm->st_ino || makedev(major_number, minor_number) != shm->st_dev)
		return 0;
	return first <= LAST_READER_BYTE && last >= FIRST_READER_BYTE ? pid : 0;
}

static size_t
append(char out[SQLITE_READERS_BYTES], size_t used, long pid)
{
	char name[32];

	read_name(pid, name, sizeof(name));
	herald_text_write(out + used, SQLITE_READERS_BYTES - used, "%sprocess %ld (%s)",
			  used ? ", " : "", pid, name);
	return used + strlen(out + used);
}

size_t
herald__sqlite_readers(const char *shm_path, char out[SQLITE_READERS_BYTES])
{
	char line[256];
	long pids[SQLITE_MAX_READERS];
	size_t count = 0;
	size_t used = 0;
	struct stat shm;
	FILE *file;

	out[0] = '\0';
	if (stat(shm_path, &shm) != 0 || !(file = fopen("/proc/locks", "re")))
		return 0;
	while (count < SQLITE_MAX_READERS && fgets(line, sizeof(line), file)) {
		long pid = reader_of_line(line, &shm);
		size_t i = 0;

		while (i < count && pids[i] != pid)
			i++;
		if (pid == 0 || i < count)
			continue;
		pids[count++] = pid;
		used = append(out, used, pid);
	}
	fclose(file);
	return count;
}
