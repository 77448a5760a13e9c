// One node of OpenSearch by itself, out of its jars: run by java as it is. Arguments: folder, HTTP port, transport port. It ends at SIGTERM.
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

public class OpenSearchNode extends Node {
  OpenSearchNode(Settings settings) {
    super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "lintel"), List.of(Netty4Plugin.class), false);
  }

  public static void main(String[] args) throws Exception {
    Path home = Files.createDirectories(Path.of(args[0]));
    Settings settings = Settings.builder()
      .put("path.home", home).put("path.data", home.resolve("data")).put("path.logs", home.resolve("logs"))
      .put("cluster.name", "lintel-test").put("node.name", "lintel").put("discovery.type", "single-node")
      .put("network.host", "127.0.0.1").put("http.port", args[1]).put("transport.port", args[2])
      .put("transport.type", "netty4").put("http.type", "netty4")
      .put("cluster.routing.allocation.disk.threshold_enabled", false) // how full this machine's disk is says nothing here
      .build();
    OpenSearchNode node = new OpenSearchNode(settings);
    node.start();
    CountDownLatch ended = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try { node.close(); } catch (Exception error) { error.printStackTrace(); }
      ended.countDown();
    }));
    ended.await();
  }
}
