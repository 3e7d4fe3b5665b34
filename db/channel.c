/* channel.c: LISTEN and NOTIFY. See channel.h. */
#include "db/channel.h"

#include <errno.h>
#include <poll.h>

#include "db/exec.h"

int db_channel_listen(struct db *db)
{
	return db_listen(db, "LISTEN omnivox_events");
}

int db_channel_wait(struct db *db, int wake_fd, int wait_ms)
{
	PGconn *conn = db_listener(db);
	struct pollfd fds[2] = {{.events = POLLIN}, {.fd = wake_fd, .events = POLLIN}};

	if (conn == NULL)
		return -EIO; /* also when another statement has made a new one */
	fds[0].fd = PQsocket(conn);
	if (poll(fds, 2, wait_ms) < 0 && errno != EINTR)
		return -errno;
	return PQconsumeInput(conn) == 1 ? 0 : -EIO;
}

void db_channel_heard(
	struct db *db, void (*each)(void *arg, const char *payload), void *arg)
{
	PGconn *conn = db_listener(db);
	PGnotify *told;

	while (conn != NULL && (told = PQnotifies(conn)) != NULL) {
		each(arg, told->extra);
		PQfreemem(told);
	}
}

/* A commit with a NOTIFY is written like any other, but nothing is lost with it. */
int db_channel_tell(struct db *db, const char *payload)
{
	return db_run(db,
		"SELECT set_config('synchronous_commit', 'off', true),"
		" pg_notify('omnivox_events', $1)",
		ARGS(arg_text(payload)), NULL);
}
