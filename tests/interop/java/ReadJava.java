// Reads requests with the CloudEvents SDK for Java; sdks.py describes the lines.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cloudevents.CloudEvent;
import io.cloudevents.http.HttpMessageFactory;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;

public class ReadJava {
	private static final ObjectMapper mapper = new ObjectMapper();

	private static void put(ObjectNode attributes, String name, Object value) {
		if (value == null)
			return;
		if (value instanceof Boolean flag)
			attributes.put(name, flag);
		else if (value instanceof Integer number)
			attributes.put(name, number);
		else if (value instanceof byte[] bytes)
			attributes.put(name, Base64.getEncoder().encodeToString(bytes));
		else
			attributes.put(name, value.toString());
	}

	private static ObjectNode describe(CloudEvent event) {
		ObjectNode described = mapper.createObjectNode();
		ObjectNode attributes = described.putObject("attributes");
		for (String name : event.getAttributeNames())
			put(attributes, name, event.getAttribute(name));
		for (String name : event.getExtensionNames())
			put(attributes, name, event.getExtension(name));
		if (event.getData() == null)
			described.putNull("data");
		else
			described.putObject("data").put("base64",
				Base64.getEncoder().encodeToString(event.getData().toBytes()));
		return described;
	}

	private static void read(JsonNode request, ObjectNode answer) {
		Map<String, String> headers = new HashMap<>();
		request.get("headers").fields().forEachRemaining(
			field -> headers.put(field.getKey(), field.getValue().asText()));
		byte[] body = Base64.getDecoder().decode(request.get("body_base64").asText());
		CloudEvent event = HttpMessageFactory
			.createReader(headers, body.length == 0 ? null : body).toEvent();
		ArrayNode events = answer.putArray("events");
		events.add(describe(event));
	}

	public static void main(String[] arguments) throws Exception {
		BufferedReader lines = new BufferedReader(
			new InputStreamReader(System.in, StandardCharsets.UTF_8));
		PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
		for (String line = lines.readLine(); line != null; line = lines.readLine()) {
			JsonNode request = mapper.readTree(line);
			ObjectNode answer = mapper.createObjectNode();
			answer.set("case", request.get("case"));
			answer.set("mode", request.get("mode"));
			try {
				read(request, answer);
			} catch (RuntimeException error) {
				answer.put("error", error.toString());
			}
			out.println(mapper.writeValueAsString(answer));
		}
	}
}
