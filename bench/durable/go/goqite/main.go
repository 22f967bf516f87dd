// goqite on SQLite, opened as its documentation says, with synchronous=FULL: go-sqlite3's own default in
// WAL mode is NORMAL, which can lose the last commits in a power cut. Variants:
//
//	defaults  jobs.Runner with a limit of 1 and a poll each 10 ms, as in its example
//	tuned     a limit of 64 jobs and a poll each millisecond
//
// The environment variable GOQITE_SCHEMA names the library's schema_sqlite.sql, which its users copy.
package main

import (
	"context"
	"database/sql"
	"os"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"maragu.dev/goqite"
	"maragu.dev/goqite/jobs"

	"herald/bench/durable/peer"
)

type queue struct {
	db           *sql.DB
	queue        *goqite.Queue
	limit        int
	pollInterval time.Duration
}

func open(limit int, pollInterval time.Duration) peer.Open {
	return func(ctx context.Context, store string) (peer.Queue, error) {
		db, err := sql.Open("sqlite3", store+"?_journal=WAL&_timeout=5000&_fk=true&_sync=FULL")
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(1)
		db.SetMaxIdleConns(1)
		schema, err := os.ReadFile(os.Getenv("GOQITE_SCHEMA"))
		if err != nil {
			return nil, err
		}
		if _, err := db.ExecContext(ctx, string(schema)); err != nil {
			return nil, err
		}
		q := goqite.New(goqite.NewOpts{DB: db, Name: "jobs"})
		return &queue{db, q, limit, pollInterval}, nil
	}
}

func (q *queue) Insert(ctx context.Context, event []byte, count int) error {
	message := goqite.Message{Body: event}
	if count == 1 {
		_, err := jobs.Create(ctx, q.queue, "event", message)
		return err
	}
	tx, err := q.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for range count {
		if _, err := jobs.CreateTx(ctx, tx, q.queue, "event", message); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (q *queue) Start(ctx context.Context, done func()) (func() error, error) {
	runner := jobs.NewRunner(jobs.NewRunnerOpts{
		Limit:        q.limit,
		PollInterval: q.pollInterval,
		Queue:        q.queue,
	})
	runner.Register("event", func(ctx context.Context, event []byte) error {
		if err := peer.Decode(event); err != nil {
			return err
		}
		done()
		return nil
	})
	ctx, cancel := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		runner.Start(ctx)
		close(stopped)
	}()
	return func() error {
		cancel()
		<-stopped
		return nil
	}, nil
}

func (q *queue) Unfinished(ctx context.Context) (count int, err error) {
	err = q.db.QueryRowContext(ctx, "select count(*) from goqite").Scan(&count)
	return count, err
}

func (q *queue) Clear(ctx context.Context) error {
	_, err := q.db.ExecContext(ctx, "delete from goqite")
	return err
}

func main() {
	peer.Main(map[string]peer.Open{
		"defaults": open(1, 10*time.Millisecond),
		"tuned":    open(64, time.Millisecond),
	})
}
