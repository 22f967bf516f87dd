// The OTLP receiver of the OpenTelemetry Collector, on the address that its argument says. It prints
// each span that it takes as a line of JSON, until its standard input ends. For
// tests/interop/otlp.py, which builds it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
)

type span struct {
	Resource   map[string]any   `json:"resource"`
	TraceID    string           `json:"trace_id"`
	SpanID     string           `json:"span_id"`
	ParentID   string           `json:"parent_id"`
	TraceState string           `json:"trace_state"`
	Flags      uint32           `json:"flags"`
	Name       string           `json:"name"`
	Kind       string           `json:"kind"`
	Begin      int64            `json:"begin_ns"`
	End        int64            `json:"end_ns"`
	Attributes map[string]any   `json:"attributes"`
	Links      []map[string]any `json:"links"`
	Status     string           `json:"status"`
	Message    string           `json:"message"`
}

func take(_ context.Context, traces ptrace.Traces) error {
	out := json.NewEncoder(os.Stdout)
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, from := range scope.Spans().All() {
				links := []map[string]any{}
				for _, link := range from.Links().All() {
					links = append(links, map[string]any{"trace_id": link.TraceID().String(), "span_id": link.SpanID().String()})
				}
				if err := out.Encode(span{
					resource.Resource().Attributes().AsRaw(), from.TraceID().String(), from.SpanID().String(),
					from.ParentSpanID().String(), from.TraceState().AsRaw(), from.Flags(), from.Name(),
					from.Kind().String(), int64(from.StartTimestamp()), int64(from.EndTimestamp()),
					from.Attributes().AsRaw(), links, from.Status().Code().String(), from.Status().Message(),
				}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func main() {
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	endpoint := map[string]any{"protocols": map[string]any{"http": map[string]any{"endpoint": os.Args[1]}}}
	if err := confmap.NewFromStringMap(endpoint).Unmarshal(config); err != nil {
		panic(err)
	}
	next, err := consumer.NewTraces(take)
	if err != nil {
		panic(err)
	}
	settings := receiver.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: componenttest.NewNopTelemetrySettings()}
	server, err := factory.CreateTraces(context.Background(), settings, config, next)
	if err != nil {
		panic(err)
	}
	if err = server.Start(context.Background(), componenttest.NewNopHost()); err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, "ready")
	io.Copy(io.Discard, os.Stdin)
	server.Shutdown(context.Background())
}
