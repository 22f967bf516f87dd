// Package events has the events of the cases as Go structs, with the message as the seed shapes it, and
// their dump. bench/documents.py has the same types in the same order.
package events

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"sort"
	"time"
)

// Event is the message around a payload of any type.
type Event[P any] struct {
	EventType string            `json:"event_type"`
	Timestamp time.Time         `json:"timestamp"`
	Payload   P                 `json:"payload"`
	Metadata  map[string]string `json:"metadata"`
}

type UserCreated struct {
	UserID   string `json:"user_id"`
	Username string `json:"username"`
}

type Customer struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

type Address struct {
	Street   string `json:"street"`
	City     string `json:"city"`
	Postcode string `json:"postcode"`
	Country  string `json:"country"`
}

type OrderLine struct {
	SKU       string `json:"sku"`
	Title     string `json:"title"`
	Quantity  int32  `json:"quantity"`
	UnitCents int64  `json:"unit_cents"`
	Gift      bool   `json:"gift"`
}

type OrderPlaced struct {
	OrderID    string      `json:"order_id"`
	PlacedAt   time.Time   `json:"placed_at"`
	Currency   string      `json:"currency"`
	TotalCents int64       `json:"total_cents"`
	Paid       bool        `json:"paid"`
	Customer   Customer    `json:"customer"`
	ShipTo     Address     `json:"ship_to"`
	Lines      []OrderLine `json:"lines"`
	Note       string      `json:"note"`
}

type Position struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Altitude  float64 `json:"altitude"`
}

type Telemetry struct {
	Device   string    `json:"device"`
	Sequence uint64    `json:"sequence"`
	UptimeMS int64     `json:"uptime_ms"`
	Battery  float64   `json:"battery"`
	Position Position  `json:"position"`
	Readings []float64 `json:"readings"`
	Counters []int64   `json:"counters"`
}

type Comment struct {
	Author string `json:"author"`
	Text   string `json:"text"`
}

type Article struct {
	ArticleID string    `json:"article_id"`
	Title     string    `json:"title"`
	Author    string    `json:"author"`
	Body      string    `json:"body"`
	Tags      []string  `json:"tags"`
	Comments  []Comment `json:"comments"`
}

type Item struct {
	ID       int64   `json:"id"`
	SKU      string  `json:"sku"`
	Quantity int32   `json:"quantity"`
	Price    float64 `json:"price"`
	Weight   float64 `json:"weight"`
	Active   bool    `json:"active"`
}

type Batch struct {
	BatchID string `json:"batch_id"`
	Items   []Item `json:"items"`
}

type Goods struct {
	OrderID    string `json:"order_id"`
	TotalCents int64  `json:"total_cents"`
	SKU        string `json:"sku"`
	Quantity   int32  `json:"quantity"`
	Gift       bool   `json:"gift"`
	City       string `json:"city"`
	Country    string `json:"country"`
}

type Download struct {
	OrderID    string `json:"order_id"`
	TotalCents int64  `json:"total_cents"`
	Title      string `json:"title"`
	Licences   int32  `json:"licences"`
	URL        string `json:"url"`
}

type Subscription struct {
	OrderID    string    `json:"order_id"`
	TotalCents int64     `json:"total_cents"`
	Plan       string    `json:"plan"`
	StartsAt   time.Time `json:"starts_at"`
	Months     int32     `json:"months"`
	Renews     bool      `json:"renews"`
}

type Refund struct {
	OrderID    string  `json:"order_id"`
	TotalCents int64   `json:"total_cents"`
	Share      float64 `json:"share"`
	Reason     string  `json:"reason"`
}

// AnyOrder is a tagged union: Order points to one of the structs above.
type AnyOrder struct {
	Kind  string `json:"kind"`
	Order any    `json:"order"`
}

// Unmarshal is that of the library that is measured.
var Unmarshal func(data []byte, value any) error

// UnmarshalJSON decodes the order when its kind is known: neither library has tagged unions.
func (to *AnyOrder) UnmarshalJSON(data []byte) error {
	var raw struct {
		Kind  string          `json:"kind"`
		Order json.RawMessage `json:"order"`
	}
	if err := Unmarshal(data, &raw); err != nil {
		return err
	}
	to.Kind = raw.Kind
	switch raw.Kind {
	case "goods":
		to.Order = new(Goods)
	case "download":
		to.Order = new(Download)
	case "subscription":
		to.Order = new(Subscription)
	case "refund":
		to.Order = new(Refund)
	default:
		return fmt.Errorf("no kind %q", raw.Kind)
	}
	return Unmarshal(raw.Order, to.Order)
}

type MixedOrders struct {
	ListID string     `json:"list_id"`
	Orders []AnyOrder `json:"orders"`
}

type ArticleEntry struct {
	Title     string  `json:"title"`
	UnitCents int64   `json:"unit_cents"`
	Weight    float64 `json:"weight"`
	Active    bool    `json:"active"`
}

type Catalog struct {
	CatalogID string                  `json:"catalog_id"`
	Articles  map[string]ArticleEntry `json:"articles"`
	Stock     map[string]int64        `json:"stock"`
	Rates     map[string]float64      `json:"rates"`
}

type Integers struct {
	SeriesID string  `json:"series_id"`
	Values   []int64 `json:"values"`
}

type Doubles struct {
	SeriesID string    `json:"series_id"`
	Values   []float64 `json:"values"`
}

type Strings struct {
	ListID string   `json:"list_id"`
	Texts  []string `json:"texts"`
}

type Account struct {
	Login string `json:"login"`
	ID    int64  `json:"id"`
}

type Branch struct {
	Ref string `json:"ref"`
	SHA string `json:"sha"`
}

type PullRequest struct {
	ID        int64     `json:"id"`
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	Draft     bool      `json:"draft"`
	CreatedAt time.Time `json:"created_at"`
	User      Account   `json:"user"`
	Head      Branch    `json:"head"`
	Base      Branch    `json:"base"`
	Additions int64     `json:"additions"`
	Deletions int64     `json:"deletions"`
}

type Repository struct {
	ID       int64  `json:"id"`
	FullName string `json:"full_name"`
	Private  bool   `json:"private"`
}

type PullRequestEvent struct {
	Action      string      `json:"action"`
	Number      int64       `json:"number"`
	PullRequest PullRequest `json:"pull_request"`
	Repository  Repository  `json:"repository"`
	Sender      Account     `json:"sender"`
}

type Record struct {
	ID     int64   `json:"id"`
	Name   string  `json:"name"`
	Score  float64 `json:"score"`
	Active bool    `json:"active"`
}

type Mixture struct {
	Integers []int64   `json:"integers"`
	Doubles  []float64 `json:"doubles"`
	Strings  []string  `json:"strings"`
	Records  []Record  `json:"records"`
}

// Dump writes all values, one a line, as bench/documents.py does.
func Dump(out io.Writer, value reflect.Value) {
	if at, ok := value.Interface().(time.Time); ok {
		_, offset := at.Zone()
		fmt.Fprintf(out, "t%d %d %d\n", at.Unix(), at.Nanosecond(), offset/60)
		return
	}
	switch value.Kind() {
	case reflect.Struct:
		for i := 0; i < value.NumField(); i++ {
			Dump(out, value.Field(i))
		}
	case reflect.Slice:
		fmt.Fprintf(out, "n%d\n", value.Len())
		for i := 0; i < value.Len(); i++ {
			Dump(out, value.Index(i))
		}
	case reflect.Map:
		dumpMap(out, value)
	case reflect.Interface, reflect.Pointer:
		Dump(out, value.Elem())
	case reflect.String:
		fmt.Fprintf(out, "s%x\n", value.String())
	case reflect.Float64:
		fmt.Fprintf(out, "d%016x\n", math.Float64bits(value.Float()))
	case reflect.Bool:
		fmt.Fprintf(out, "b%d\n", map[bool]int{true: 1}[value.Bool()])
	default:
		fmt.Fprintf(out, "i%v\n", value.Interface())
	}
}

func dumpMap(out io.Writer, values reflect.Value) {
	keys := values.MapKeys()
	sort.Slice(keys, func(a, b int) bool { return keys[a].String() < keys[b].String() })
	fmt.Fprintf(out, "n%d\n", len(keys))
	for _, key := range keys {
		Dump(out, key)
		Dump(out, values.MapIndex(key))
	}
}
