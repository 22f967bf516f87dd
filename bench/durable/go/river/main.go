// River on PostgreSQL (pgx) and on SQLite (modernc.org/sqlite in one connection, as its driver's
// documentation says). Variants, of both:
//
//	postgres, sqlite              100 workers, as in its examples, and the default cooldown of 100 ms
//	postgres-tuned, sqlite-tuned  1,000 workers, cooldown 2 ms, poll 20 ms
//
// Batches go in by InsertManyFast, which is COPY on PostgreSQL.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite"

	"herald/bench/durable/peer"
)

// Errors are returned, too; those of requests whose sender has left are of no interest.
var logger = slog.New(slog.NewTextHandler(io.Discard, nil))

type args peer.Event

func (args) Kind() string { return "event" }

type worker struct {
	river.WorkerDefaults[args]
	done func()
}

func (w *worker) Work(ctx context.Context, job *river.Job[args]) error {
	if err := peer.Check((*peer.Event)(&job.Args)); err != nil {
		return err
	}
	w.done()
	return nil
}

// What differs between the databases besides River's drivers.
type database struct {
	count func(ctx context.Context, query string) (int, error)
	exec  func(ctx context.Context, query string) error
	clear string
}

type queue[Tx any] struct {
	driver   riverdriver.Driver[Tx]
	database database
	tuned    bool
	inserter *river.Client[Tx]
}

func open[Tx any](ctx context.Context, driver riverdriver.Driver[Tx], database database,
	tuned bool) (peer.Queue, error) {
	migrator, err := rivermigrate.New(driver, nil)
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, err
	}
	inserter, err := river.NewClient(driver, &river.Config{Logger: logger})
	return &queue[Tx]{driver, database, tuned, inserter}, err
}

func (q *queue[Tx]) Insert(ctx context.Context, event []byte, count int) error {
	var decoded args
	if err := json.Unmarshal(event, &decoded); err != nil {
		return err
	}
	if count == 1 {
		_, err := q.inserter.Insert(ctx, decoded, nil)
		return err
	}
	params := make([]river.InsertManyParams, count)
	for i := range params {
		params[i].Args = decoded
	}
	_, err := q.inserter.InsertManyFast(ctx, params)
	return err
}

func (q *queue[Tx]) Start(ctx context.Context, done func()) (func() error, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{done: done})
	config := &river.Config{
		Logger:  logger,
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 100}},
		Workers: workers,
	}
	if q.tuned {
		config.Queues[river.QueueDefault] = river.QueueConfig{MaxWorkers: 1000}
		config.FetchCooldown = 2 * time.Millisecond
		config.FetchPollInterval = 20 * time.Millisecond
	}
	client, err := river.NewClient(q.driver, config)
	if err != nil {
		return nil, err
	}
	return func() error { return client.Stop(ctx) }, client.Start(ctx)
}

func (q *queue[Tx]) Unfinished(ctx context.Context) (int, error) {
	return q.database.count(ctx, `SELECT count(*) FROM river_job
		WHERE state IN ('available', 'pending', 'retryable', 'running', 'scheduled')`)
}

func (q *queue[Tx]) Clear(ctx context.Context) error {
	return q.database.exec(ctx, q.database.clear)
}

func postgres(tuned bool) peer.Open {
	return func(ctx context.Context, store string) (peer.Queue, error) {
		pool, err := pgxpool.New(ctx, store)
		if err != nil {
			return nil, err
		}
		return open[pgx.Tx](ctx, riverpgxv5.New(pool), database{
			count: func(ctx context.Context, query string) (count int, err error) {
				err = pool.QueryRow(ctx, query).Scan(&count)
				return count, err
			},
			exec: func(ctx context.Context, query string) error {
				_, err := pool.Exec(ctx, query)
				return err
			},
			clear: "TRUNCATE river_job",
		}, tuned)
	}
}

func sqlite(tuned bool) peer.Open {
	return func(ctx context.Context, store string) (peer.Queue, error) {
		db, err := sql.Open("sqlite", "file:"+store+"?_pragma=journal_mode(WAL)")
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(1)
		return open[*sql.Tx](ctx, riversqlite.New(db), database{
			count: func(ctx context.Context, query string) (count int, err error) {
				err = db.QueryRowContext(ctx, query).Scan(&count)
				return count, err
			},
			exec: func(ctx context.Context, query string) error {
				_, err := db.ExecContext(ctx, query)
				return err
			},
			clear: "DELETE FROM river_job",
		}, tuned)
	}
}

func main() {
	peer.Main(map[string]peer.Open{
		"postgres":       postgres(false),
		"postgres-tuned": postgres(true),
		"sqlite":         sqlite(false),
		"sqlite-tuned":   sqlite(true),
	})
}
