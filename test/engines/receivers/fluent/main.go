// Fluent forward by the OpenTelemetry Collector's receiver: each record is a line of a file, {"tag":...,"nanoseconds":"...","record":{...}}.
//
//	fluent-receiver ADDRESS FILE
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/fluentforwardreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
)

func main() {
	file, err := os.OpenFile(os.Args[2], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(err)
	write, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		_, err := file.Write(lines(logs))
		return err
	})
	must(err)
	factory := fluentforwardreceiver.NewFactory()
	config := factory.CreateDefaultConfig().(*fluentforwardreceiver.Config)
	config.ListenAddress = os.Args[1]
	settings := receiver.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: componenttest.NewNopTelemetrySettings()}
	server, err := factory.CreateLogs(context.Background(), settings, config, write)
	must(err)
	must(server.Start(context.Background(), componenttest.NewNopHost()))
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	<-end
	must(server.Shutdown(context.Background()))
}

func lines(logs plog.Logs) (all []byte) {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, entry := range scope.LogRecords().All() {
				record := entry.Attributes().AsRaw()
				tag := record["fluent.tag"]
				delete(record, "fluent.tag")
				line, err := json.Marshal(map[string]any{
					"tag": tag, "nanoseconds": strconv.FormatInt(int64(entry.Timestamp()), 10), "record": record, "body": entry.Body().AsRaw(),
				})
				must(err)
				all = append(append(all, line...), '\n')
			}
		}
	}
	return all
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
