package bench;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.cloudevents.CloudEvent;
import io.cloudevents.core.CloudEventUtils;
import io.cloudevents.http.HttpMessageFactory;
import io.cloudevents.jackson.PojoCloudEventDataMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The peer of `./dev bench cloudevents` for the SDK of CloudEvents for Java; arguments and protocol are
 * those of bench/cloudevents/herald.c.
 */
public final class Peer {
    record Line(String sku, long quantity) {}

    record Order(
            @JsonProperty("order_id") String orderId,
            @JsonProperty("total_cents") long totalCents,
            List<Line> lines) {}

    private static final Map<String, String> HEADERS = new HashMap<>();
    private static final PojoCloudEventDataMapper<Order> MAPPER =
            PojoCloudEventDataMapper.from(new ObjectMapper(), Order.class);
    private static byte[] body;

    /** Keeps the compiler from leaving out what is measured. */
    static volatile Object last;

    private static CloudEvent decode() {
        return HttpMessageFactory.createReader(HEADERS, body).toEvent();
    }

    private static Order dataOf(CloudEvent event) {
        return CloudEventUtils.mapData(event, MAPPER).getValue();
    }

    private static void read(String path) throws Exception {
        String text = Files.readString(Path.of(path));
        int end = text.indexOf("\n\n");
        for (String line : text.substring(0, end).split("\n")) {
            int colon = line.indexOf(": ");
            HEADERS.put(line.substring(0, colon), line.substring(colon + 2));
        }
        body = text.substring(end + 2).getBytes(StandardCharsets.UTF_8);
    }

    private static void check() {
        CloudEvent event = decode();
        Order order = dataOf(event);
        StringBuilder out = new StringBuilder();
        out.append(event.getId()).append(' ').append(event.getSource()).append(' ')
                .append(event.getType()).append(' ').append(event.getSubject()).append(' ')
                .append(event.getTime()).append(' ').append(event.getExtension("traceparent"))
                .append(' ').append(order.orderId()).append(' ').append(order.totalCents());
        for (Line line : order.lines()) {
            out.append(' ').append(line.sku()).append(':').append(line.quantity());
        }
        System.out.println(out);
    }

    private static void measure(long nanoseconds) {
        long begin = System.nanoTime(), count = 0, took = 0;
        while (took < nanoseconds) {
            for (int i = 0; i < 256; i++) {
                last = dataOf(decode());
            }
            count += 256;
            took = System.nanoTime() - begin;
        }
        System.out.println(String.format(Locale.ROOT, "%.2f", (double) took / count));
    }

    public static void main(String[] arguments) throws Exception {
        read(arguments[1]);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null; ) {
            if (line.equals("check")) {
                check();
            } else {
                measure(Long.parseLong(arguments[2]) * 1000000);
            }
        }
    }
}
