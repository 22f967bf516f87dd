// watermill-sql on PostgreSQL (pgx). Variants:
//
//	offset  the default schema: rows stay, consumers keep an offset; messages in batches of 100
//	queue   the queue schema: rows are deleted when they are acknowledged; 100 in a batch
//	tuned   the queue schema, 1,000 in a batch
//
// None of them counts attempts, and a message that fails is sent again until it succeeds.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-sql/v4/pkg/sql"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/jackc/pgx/v5/pgxpool"

	"herald/bench/durable/peer"
)

const topic = "events"

type queue struct {
	pool      *pgxpool.Pool
	publisher *sql.Publisher
	schema    sql.SchemaAdapter
	offsets   sql.OffsetsAdapter
	left      string // counts the messages that are not done
	clear     string
}

func open(schema sql.SchemaAdapter, offsets sql.OffsetsAdapter, left, clear string) peer.Open {
	return func(ctx context.Context, store string) (peer.Queue, error) {
		pool, err := pgxpool.New(ctx, store)
		if err != nil {
			return nil, err
		}
		publisher, err := sql.NewPublisher(sql.BeginnerFromPgx(pool), sql.PublisherConfig{
			SchemaAdapter: schema,
		}, nil)
		if err != nil {
			return nil, err
		}
		q := &queue{pool, publisher, schema, offsets, left, clear}
		subscriber, err := q.subscriber()
		if err != nil {
			return nil, err
		}
		return q, subscriber.SubscribeInitialize(topic)
	}
}

func (q *queue) subscriber() (*sql.Subscriber, error) {
	return sql.NewSubscriber(sql.BeginnerFromPgx(q.pool), sql.SubscriberConfig{
		SchemaAdapter:  q.schema,
		OffsetsAdapter: q.offsets,
		PollInterval:   10 * time.Millisecond,
	}, nil)
}

func (q *queue) Insert(ctx context.Context, event []byte, count int) error {
	messages := make([]*message.Message, count)
	for i := range messages {
		messages[i] = message.NewMessage(watermill.NewUUID(), event)
		messages[i].SetContext(ctx)
	}
	return q.publisher.Publish(topic, messages...)
}

func (q *queue) Start(ctx context.Context, done func()) (func() error, error) {
	subscriber, err := q.subscriber()
	if err != nil {
		return nil, err
	}
	messages, err := subscriber.Subscribe(ctx, topic)
	if err != nil {
		return nil, err
	}
	go func() {
		for message := range messages {
			peer.Fail(peer.Decode(message.Payload))
			done()
			message.Ack()
		}
	}()
	return subscriber.Close, nil
}

func (q *queue) Unfinished(ctx context.Context) (count int, err error) {
	err = q.pool.QueryRow(ctx, q.left).Scan(&count)
	return count, err
}

func (q *queue) Clear(ctx context.Context) error {
	_, err := q.pool.Exec(ctx, q.clear)
	return err
}

func main() {
	queue := func(batch int) peer.Open {
		return open(sql.PostgreSQLQueueSchema{SubscribeBatchSize: batch},
			sql.PostgreSQLQueueOffsetsAdapter{DeleteOnAck: true},
			"SELECT count(*) FROM watermill_events", "TRUNCATE watermill_events")
	}
	const acked = `coalesce((SELECT max(offset_acked) FROM watermill_offsets_events), 0)`
	peer.Main(map[string]peer.Open{
		"offset": open(sql.DefaultPostgreSQLSchema{}, sql.DefaultPostgreSQLOffsetsAdapter{},
			fmt.Sprintf(`SELECT count(*) FROM watermill_events WHERE "offset" > %s`, acked),
			"TRUNCATE watermill_events, watermill_offsets_events RESTART IDENTITY"),
		"queue": queue(0),
		"tuned": queue(1000),
	})
}
