// Reads requests with the CloudEvents SDK for Go; sdks.py describes the lines.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

type request struct {
	Case    string            `json:"case"`
	Mode    string            `json:"mode"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body_base64"`
}

type described struct {
	Attributes map[string]any `json:"attributes"`
	Data       any            `json:"data"`
}

type answer struct {
	Case   string      `json:"case"`
	Mode   string      `json:"mode"`
	Events []described `json:"events"`
	Error  string      `json:"error,omitempty"`
}

func describe(e event.Event) described {
	attributes := map[string]any{
		"specversion": e.SpecVersion(), "id": e.ID(), "source": e.Source(), "type": e.Type(),
	}
	for name, value := range map[string]string{
		"subject": e.Subject(), "dataschema": e.DataSchema(),
		"datacontenttype": e.DataContentType(),
	} {
		if value != "" {
			attributes[name] = value
		}
	}
	if !e.Time().IsZero() {
		attributes["time"] = e.Time().Format(time.RFC3339Nano)
	}
	for name, value := range e.Extensions() {
		attributes[name] = value
	}
	if e.Data() == nil {
		return described{attributes, nil}
	}
	return described{attributes,
		map[string]string{"base64": base64.StdEncoding.EncodeToString(e.Data())}}
}

func read(r request) ([]described, error) {
	body, err := base64.StdEncoding.DecodeString(r.Body)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	for name, value := range r.Headers {
		header.Set(name, value)
	}
	if r.Mode == "batch" {
		// It knows the type without parameters only.
		header.Set("Content-Type", event.ApplicationCloudEventsBatchJSON)
		message := cehttp.NewMessage(header, io.NopCloser(bytes.NewReader(body)))
		events, err := binding.ToEvents(context.Background(), message, bytes.NewReader(body))
		all := []described{}
		for _, one := range events {
			all = append(all, describe(one))
		}
		return all, err
	}
	message := cehttp.NewMessage(header, io.NopCloser(bytes.NewReader(body)))
	one, err := binding.ToEvent(context.Background(), message)
	if err != nil {
		return nil, err
	}
	return []described{describe(*one)}, nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	encoder := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			panic(err)
		}
		a := answer{Case: r.Case, Mode: r.Mode}
		events, err := read(r)
		if err != nil {
			a.Error = err.Error()
		} else {
			a.Events = events
		}
		if err := encoder.Encode(a); err != nil {
			panic(err)
		}
	}
}
