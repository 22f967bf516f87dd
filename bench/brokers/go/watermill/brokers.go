package main

import (
	"fmt"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-amqp/v3/pkg/amqp"
	watermillnats "github.com/ThreeDotsLabs/watermill-nats/v2/pkg/nats"
	"github.com/ThreeDotsLabs/watermill-redisstream/pkg/redisstream"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
	amqp091 "github.com/rabbitmq/amqp091-go"
	"github.com/redis/go-redis/v9"
)

const (
	group    = "bench"
	prefetch = 256
)

// entry reads an entry as Herald does: its field `data`.
type entry struct{}

func (entry) Unmarshal(values map[string]any) (*message.Message, error) {
	data, ok := values["data"].(string)
	if !ok {
		return nil, fmt.Errorf("the entry has no data")
	}
	return message.NewMessage("", []byte(data)), nil
}

func openRedis(url string) (message.Subscriber, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	return redisstream.NewSubscriber(redisstream.SubscriberConfig{
		Client:        redis.NewClient(options),
		Unmarshaller:  entry{},
		ConsumerGroup: group,
	}, watermill.NopLogger{})
}

func openNATS(url string) (message.Subscriber, error) {
	return watermillnats.NewSubscriber(watermillnats.SubscriberConfig{
		URL:              url,
		QueueGroupPrefix: group,
		JetStream: watermillnats.JetStreamConfig{
			DurablePrefix:    group,
			AckAsync:         true,
			SubscribeOptions: []nats.SubOpt{nats.DeliverAll(), nats.AckExplicit()},
		},
	}, watermill.NopLogger{})
}

func openRabbitMQ(url string) (message.Subscriber, error) {
	config := amqp.NewDurableQueueConfig(url)
	config.Queue.Arguments = amqp091.Table{"x-queue-type": "quorum"}
	config.Consume.Qos.PrefetchCount = prefetch
	return amqp.NewSubscriber(config, watermill.NopLogger{})
}
