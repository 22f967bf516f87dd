// backlite on SQLite, opened as its documentation says, with synchronous=FULL (see goqite). The pool has
// one connection: with several, writers meet and fail with "database is locked". Variants:
//
//	defaults  10 workers, as in its documentation
//	tuned     100 workers
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"github.com/mikestefanello/backlite"

	"herald/bench/durable/peer"
)

type task peer.Event

func (task) Config() backlite.QueueConfig {
	return backlite.QueueConfig{
		Name:        "event",
		MaxAttempts: 5,
		Backoff:     5 * time.Second,
		Timeout:     10 * time.Second,
	}
}

type queue struct {
	db      *sql.DB
	workers int
	// Inserts, and runs while it is started. Another one is made for each start.
	client *backlite.Client
}

func open(workers int) peer.Open {
	return func(ctx context.Context, store string) (peer.Queue, error) {
		db, err := sql.Open("sqlite3", store+"?_journal=WAL&_timeout=5000&_sync=FULL")
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(1)
		q := &queue{db: db, workers: workers}
		if err := q.renew(func() {}); err != nil {
			return nil, err
		}
		return q, q.client.Install()
	}
}

func (q *queue) renew(done func()) (err error) {
	q.client, err = backlite.NewClient(backlite.ClientConfig{
		DB:              q.db,
		ReleaseAfter:    10 * time.Minute,
		NumWorkers:      q.workers,
		CleanupInterval: time.Hour,
	})
	if err != nil {
		return err
	}
	q.client.Register(backlite.NewQueue(func(ctx context.Context, event task) error {
		if err := peer.Check((*peer.Event)(&event)); err != nil {
			return err
		}
		done()
		return nil
	}))
	return nil
}

func (q *queue) Insert(ctx context.Context, event []byte, count int) error {
	var decoded task
	if err := json.Unmarshal(event, &decoded); err != nil {
		return err
	}
	tasks := make([]backlite.Task, count)
	for i := range tasks {
		tasks[i] = decoded
	}
	_, err := q.client.Add(tasks...).Ctx(ctx).Save()
	return err
}

func (q *queue) Start(ctx context.Context, done func()) (func() error, error) {
	if err := q.renew(done); err != nil {
		return nil, err
	}
	q.client.Start(ctx)
	return func() error {
		q.client.Stop(ctx)
		return q.renew(func() {})
	}, nil
}

func (q *queue) Unfinished(ctx context.Context) (count int, err error) {
	err = q.db.QueryRowContext(ctx, "SELECT count(*) FROM backlite_tasks").Scan(&count)
	return count, err
}

func (q *queue) Clear(ctx context.Context) error {
	_, err := q.db.ExecContext(ctx, "DELETE FROM backlite_tasks; DELETE FROM backlite_tasks_completed")
	return err
}

func main() {
	peer.Main(map[string]peer.Open{"defaults": open(10), "tuned": open(100)})
}
