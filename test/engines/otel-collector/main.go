// A collector of OpenTelemetry's own parts: what its OTLP receiver takes, its file exporter writes as lines of JSON.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]); err != nil {
		fmt.Fprintln(os.Stderr, "otel-collector:", err)
		os.Exit(1)
	}
}

// Addresses to listen at, HOST:PORT, and files that are written.
func run(http, grpc, logs, traces, metrics string) error {
	ctx := context.Background()
	receivers := otlpreceiver.NewFactory()
	config := receivers.CreateDefaultConfig()
	protocols := map[string]any{"protocols": map[string]any{
		"http": map[string]any{"endpoint": http, "max_request_body_size": 64 << 20},
		"grpc": map[string]any{"endpoint": grpc, "max_recv_msg_size_mib": 64},
	}}
	if err := confmap.NewFromStringMap(protocols).Unmarshal(config); err != nil {
		return err
	}
	telemetry := componenttest.NewNopTelemetrySettings()
	host := componenttest.NewNopHost()
	exporters := fileexporter.NewFactory()
	open := func(name, path string) (exporter.Settings, component.Config, error) {
		config := exporters.CreateDefaultConfig()
		err := confmap.NewFromStringMap(map[string]any{"path": path, "append": true}).Unmarshal(config)
		return exporter.Settings{ID: component.NewIDWithName(exporters.Type(), name), TelemetrySettings: telemetry}, config, err
	}
	settings, fileConfig, err := open("logs", logs)
	if err != nil {
		return err
	}
	logFile, err := exporters.CreateLogs(ctx, settings, fileConfig)
	if err != nil {
		return err
	}
	settings, fileConfig, err = open("traces", traces)
	if err != nil {
		return err
	}
	traceFile, err := exporters.CreateTraces(ctx, settings, fileConfig)
	if err != nil {
		return err
	}
	settings, fileConfig, err = open("metrics", metrics)
	if err != nil {
		return err
	}
	metricFile, err := exporters.CreateMetrics(ctx, settings, fileConfig)
	if err != nil {
		return err
	}
	receiverSettings := receiver.Settings{ID: component.NewID(receivers.Type()), TelemetrySettings: telemetry}
	logReceiver, err := receivers.CreateLogs(ctx, receiverSettings, config, logFile)
	if err != nil {
		return err
	}
	traceReceiver, err := receivers.CreateTraces(ctx, receiverSettings, config, traceFile)
	if err != nil {
		return err
	}
	metricReceiver, err := receivers.CreateMetrics(ctx, receiverSettings, config, metricFile)
	if err != nil {
		return err
	}
	parts := []component.Component{logFile, traceFile, metricFile, logReceiver, traceReceiver, metricReceiver}
	for _, part := range parts {
		if err := part.Start(ctx, host); err != nil {
			return err
		}
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
	for index := len(parts) - 1; index >= 0; index-- {
		if err := parts[index].Shutdown(ctx); err != nil {
			return err
		}
	}
	return nil
}
