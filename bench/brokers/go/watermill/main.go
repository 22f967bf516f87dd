// Watermill's subscribers, as ../../main.c commands them. Variants are the brokers' names.
//
// It acknowledges each message before it takes the next one, and so it does with each broker. The
// settings are those that its documentation shows, except for what would make it slow here: 256
// messages are prefetched from RabbitMQ (by default 1), and NATS is not asked to confirm each
// acknowledgement.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// What the function decodes, as in the other benches.
type event struct {
	EventType string            `json:"event_type"`
	Timestamp time.Time         `json:"timestamp"`
	Payload   userCreated       `json:"payload"`
	Metadata  map[string]string `json:"metadata"`
}

type userCreated struct {
	UserID   string `json:"user_id"`
	Username string `json:"username"`
}

// open makes the subscriber of a broker. It is closed after each round.
type open func(url string) (message.Subscriber, error)

var brokers = map[string]open{
	"redis":    openRedis,
	"nats":     openNATS,
	"rabbitmq": openRabbitMQ,
}

func fail(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "watermill: %v\n", err)
		os.Exit(1)
	}
}

func run(data []byte) error {
	var decoded event
	if err := json.Unmarshal(data, &decoded); err != nil {
		return err
	}
	if decoded.Payload.UserID != "12345" {
		return fmt.Errorf("the event has changed: user_id %q", decoded.Payload.UserID)
	}
	return nil
}

func consume(subscriber message.Subscriber, source string, count int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	messages, err := subscriber.Subscribe(ctx, source)
	if err != nil {
		return err
	}
	for range count {
		select {
		case message := <-messages:
			if err := run(message.Payload); err != nil {
				return err
			}
			message.Ack()
		case <-time.After(time.Minute):
			return fmt.Errorf("no message for a minute")
		}
	}
	return subscriber.Close()
}

func main() {
	if len(os.Args) != 4 || brokers[os.Args[1]] == nil {
		fail(fmt.Errorf("usage: %s BROKER URL EVENT", os.Args[0]))
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var command, source string
		var count int
		_, err := fmt.Sscan(lines.Text(), &command, &source, &count)
		fail(err)
		if command != "consume" {
			fail(fmt.Errorf("no command %q", command))
		}
		start := time.Now()
		subscriber, err := brokers[os.Args[1]](os.Args[2])
		fail(err)
		fail(consume(subscriber, source, count))
		fmt.Println(count, time.Since(start).Seconds())
	}
}
