/*
 * Structured events: what is accepted, and the code, place and message of what is refused; limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cloudevents.h"
#include "support/failing_allocator.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* Options, as bits. */
enum { IGNORE = 1, JSON = 2, UNCHECKED = 4 };

static void
test_events(void **state)
{
	/* '@' is expanded by expand_event(). `result` is the event, or the message. */
	static const struct {
		const char *body;
		int options;
		enum herald_status status;
		const char *path;
		size_t offset;
		const char *result;
	} cases[] = {
		/* What is accepted. Members have any order. */
		{"{@}", 0, HERALD_OK, "", 0, ""},
		{" \011\012{ @ } \015", 0, HERALD_OK, "", 0, ""},
		{"{\"type\":\"t\",\"source\":\"/s\",\"id\":\"1\",\"specversion\":\"1.0\"}", 0,
		 HERALD_OK, "", 0, ""},
		{"{\"\\u0073pecversion\":\"1.\\u0030\",\"\\u0069d\":\"\\u0031\",\"source\":\"\\/"
		 "s\",\"type\":\"t\"}",
		 0, HERALD_OK, "", 0, ""},
		/* sdk-go#615: Azure's dataschema "#". */
		{"{@,\"subject\":\"a\",\"dataschema\":\"#\",\"datacontenttype\":\"text/"
		 "plain\",\"time\":\"2018-04-05T19:31:00.5+02:00\"}",
		 0, HERALD_OK, "", 0,
		 "subject=a time=2018-04-05T19:31:00.5+02:00 dataschema=# "
		 "datacontenttype=text/plain"},
		/* sdk-python: a time that is null crashes. */
		{"{@,\"subject\":null,\"dataschema\":null,\"datacontenttype\":null,\"time\":null,"
		 "\"x\":null,\"data_base64\":null}",
		 0, HERALD_OK, "", 0, ""},
		{"{\"specversion\":\"1.0\",\"id\":\"\303\257\\ud83d\\ude00\",\"source\":\"/"
		 "s\",\"type\":\"\\u20ac\"}",
		 0, HERALD_OK, "", 0, "id=\\xC3\\xAF\\xF0\\x9F\\x98\\x80 type=\\xE2\\x82\\xAC"},
		{"{@,\"subject\":\" a\\\"b\\\\c%41 \"}", 0, HERALD_OK, "", 0,
		 "subject= a\"b\\c%41 "},
		{"{@,\"time\":\"2018-04-05t17:31:00z\"}", 0, HERALD_OK, "", 0,
		 "time=2018-04-05T17:31:00Z"},
		/* Extensions keep their types: sdk-javascript#492 (false vanishes). */
		{"{@,\"b\":false,\"c\":true,\"i\":0,\"s\":\"\"}", 0, HERALD_OK, "", 0,
		 "b=boolean:false c=boolean:true i=integer:0 s="},
		{"{@,\"min\":-2147483648,\"max\":2147483647,\"zero\":-0}", 0, HERALD_OK, "", 0,
		 "min=integer:-2147483648 max=integer:2147483647 zero=integer:0"},
		{"{@,\"s\":\"007\",\"t\":\"true\",\"n\":\"null\",\"x9\":\"1.50\",\"9\":\"a\"}", 0,
		 HERALD_OK, "", 0, "s=007 t=true n=null x9=1.50 9=a"},
		{"{@,\"averyveryverylongextensionattributename0123456789\":\"x\"}", 0, HERALD_OK,
		 "", 0, "averyveryverylongextensionattributename0123456789=x"},
		/* sdk-rust#125, spec#702: an extension that is null is not set. */
		{"{@,\"a\":null,\"b\":1,\"c\":null,\"d\":2,\"e\":3,\"f\":4,\"g\":null,\"h\":5}", 0,
		 HERALD_OK, "", 0, "b=integer:1 d=integer:2 e=integer:3 f=integer:4 h=integer:5"},
		/* sdk-java#401: objects and arrays as extensions. */
		{"{@,\"x\":{\"a\":[1, 2]},\"y\":[ ]}", JSON, HERALD_OK, "", 0,
		 "x=json:{\"a\":[1, 2]} y=json:[ ]"},
		{"{@,\"x\":{\"a\":1}}", 0, HERALD_BAD_TYPE, "/x", 59,
		 "x: expected a string, an integer or a boolean, found an object"},
		{"{@,\"x\":[1]}", 0, HERALD_BAD_TYPE, "/x", 59,
		 "x: expected a string, an integer or a boolean, found an array"},
		{"{@,\"x\":{\"a\":tru}}", JSON, HERALD_BAD_JSON, "/x/a", 64,
		 "a: expected a value, found tru"},
		{"{@,\"x\":{\"a\":1}", JSON, HERALD_BAD_JSON, "", 66,
		 "expected ',' or '}', found the end of the input"},
		/* JSON data is left as it is. A string is never parsed again: sdk-go#797, #990,
		 * #1161, #1273 (+json). */
		{"{@,\"data\":{\"a\" : [1,\"\\u0041\"]} }", 0, HERALD_OK, "", 0,
		 "data=json:{\"a\" : [1,\"\\u0041\"]}"},
		{"{\"data\":{\"a\":1},@}", 0, HERALD_OK, "", 0, "data=json:{\"a\":1}"},
		{"{@,\"data\":null}", 0, HERALD_OK, "", 0, "data=json:null"},
		{"{@,\"data\":\"x\"}", 0, HERALD_OK, "", 0, "data=json:\"x\""},
		{"{@,\"data\":\"{\\\"a\\\":1}\",\"datacontenttype\":\"application/vnd.x+json\"}", 0,
		 HERALD_OK, "", 0,
		 "datacontenttype=application/vnd.x+json data=json:\"{\\\"a\\\":1}\""},
		{"{\"data\":\"\\u0041\",@,\"datacontenttype\":\"TEXT/JSON; charset=utf-8\"}", 0,
		 HERALD_OK, "", 0,
		 "datacontenttype=TEXT/JSON; charset=utf-8 data=json:\"\\u0041\""},
		{"{@,\"data\":-0.0}", 0, HERALD_OK, "", 0, "data=json:-0.0"},
		{"{@,\"data\":false}", 0, HERALD_OK, "", 0, "data=json:false"},
		{"{@,\"data\":\"\"}", 0, HERALD_OK, "", 0, "data=json:\"\""},
		/* Data of other types is text. */
		{"{@,\"datacontenttype\":\"text/plain\",\"data\":\"a\\u0000\\n\\u0041\"}", 0,
		 HERALD_OK, "", 0, "datacontenttype=text/plain data=text:a\\x00\\x0AA"},
		{"{@,\"data\":\"a\\u0000\\n\\u0041\",\"datacontenttype\":\"text/plain\"}", 0,
		 HERALD_OK, "", 0, "datacontenttype=text/plain data=text:a\\x00\\x0AA"},
		{"{@,\"data\":\"\",\"datacontenttype\":\"application/xml\"}", 0, HERALD_OK, "", 0,
		 "datacontenttype=application/xml data=text:"},
		{"{@,\"data\":null,\"datacontenttype\":\"text/plain\"}", 0, HERALD_OK, "", 0,
		 "datacontenttype=text/plain"},
		{"{\"data\":{\"a\":1},@,\"datacontenttype\":\"text/plain\"}", 0, HERALD_BAD_TYPE,
		 "/data", 8,
		 "data: expected a string, because datacontenttype is not JSON, found an object"},
		{"{@,\"datacontenttype\":\"application/json-x\",\"data\":5}", 0, HERALD_BAD_TYPE,
		 "/data", 101,
		 "data: expected a string, because datacontenttype is not JSON, found a number"},
		/* sdk-csharp#320: base64 after undoing the escapes of JSON. */
		{"{@,\"data_base64\":\"\\u002B\\u002b\\/\\u0041\"}", 0, HERALD_OK, "", 0,
		 "data=bytes:\\xFB\\xEF\\xC0"},
		{"{@,\"data_base64\":\"\"}", 0, HERALD_OK, "", 0, "data=bytes:"},
		{"{@,\"data_base64\":\"AAECAwQFBgc=\"}", 0, HERALD_OK, "", 0,
		 "data=bytes:\\x00\\x01\\x02\\x03\\x04\\x05\\x06\\x07"},
		/* sdk-java: bytes whose type is JSON become JSON. */
		{"{@,\"data_base64\":\"/w==\",\"datacontenttype\":\"application/json\"}", 0,
		 HERALD_OK, "", 0, "datacontenttype=application/json data=bytes:\\xFF"},
		{"{@,\"data_base64\":\"AAA\"}", 0, HERALD_BAD_VALUE, "/data_base64", 69,
		 "data_base64: expected base64 (RFC 4648 section 4) with padding, found 3 "
		 "characters"},
		{"{@,\"data_base64\":\"AA\"}", 0, HERALD_BAD_VALUE, "/data_base64", 69,
		 "data_base64: expected base64 (RFC 4648 section 4) with padding, found 2 "
		 "characters"},
		{"{@,\"data_base64\":\"AAAAA\"}", 0, HERALD_BAD_VALUE, "/data_base64", 69,
		 "data_base64: expected base64 (RFC 4648 section 4) with padding, found 5 "
		 "characters"},
		{"{@,\"data_base64\":\"AA=A\"}", 0, HERALD_BAD_VALUE, "/data_base64", 69,
		 "data_base64: expected base64 (RFC 4648 section 4), found a wrong character at 2"},
		{"{@,\"data_base64\":\"AA==AAAA\"}", 0, HERALD_BAD_VALUE, "/data_base64", 69,
		 "data_base64: expected base64 (RFC 4648 section 4), found a wrong character at 2"},
		{"{@,\"data_base64\":\"AAB=\"}", 0, HERALD_BAD_VALUE, "/data_base64", 69,
		 "data_base64: expected base64 (RFC 4648 section 4), found a wrong character at 2"},
		{"{@,\"data_base64\":\"AB==\"}", 0, HERALD_BAD_VALUE, "/data_base64", 69,
		 "data_base64: expected base64 (RFC 4648 section 4), found a wrong character at 1"},
		{"{@,\"data_base64\":\"A===\"}", 0, HERALD_BAD_VALUE, "/data_base64", 69,
		 "data_base64: expected base64 (RFC 4648 section 4), found a wrong character at 1"},
		{"{@,\"data_base64\":\"====\"}", 0, HERALD_BAD_VALUE, "/data_base64", 69,
		 "data_base64: expected base64 (RFC 4648 section 4), found a wrong character at 0"},
		{"{@,\"data_base64\":\"AA_A\"}", 0, HERALD_BAD_VALUE, "/data_base64", 69,
		 "data_base64: expected base64 (RFC 4648 section 4), found a wrong character at 2"},
		{"{@,\"data_base64\":\"AA-A\"}", 0, HERALD_BAD_VALUE, "/data_base64", 69,
		 "data_base64: expected base64 (RFC 4648 section 4), found a wrong character at 2"},
		{"{@,\"data_base64\":\"AA A\"}", 0, HERALD_BAD_VALUE, "/data_base64", 69,
		 "data_base64: expected base64 (RFC 4648 section 4), found a wrong character at 2"},
		{"{@,\"data_base64\":\"AAA\\n\"}", 0, HERALD_BAD_VALUE, "/data_base64", 69,
		 "data_base64: expected base64 (RFC 4648 section 4), found a wrong character at 3"},
		{"{@,\"data_base64\":\"AA\\u0000A\"}", 0, HERALD_BAD_VALUE, "/data_base64", 69,
		 "data_base64: expected base64 (RFC 4648 section 4), found a wrong character at 2"},
		{"{@,\"data_base64\":5}", 0, HERALD_BAD_TYPE, "/data_base64", 69,
		 "data_base64: expected a string, found a number"},
		{"{@,\"data_base64\":{}}", 0, HERALD_BAD_TYPE, "/data_base64", 69,
		 "data_base64: expected a string, found an object"},
		/* spec#553: data and data_base64 exclude each other. */
		{"{@,\"data\":\"x\",\"data_base64\":\"eA==\"}", 0, HERALD_BAD_VALUE, "/data_base64",
		 66, "data_base64: data and data_base64 exclude each other"},
		{"{@,\"data_base64\":\"eA==\",\"data\":null}", 0, HERALD_BAD_VALUE, "/data", 76,
		 "data: data and data_base64 exclude each other"},
		{"{@,\"data_base64\":null,\"data\":null}", 0, HERALD_OK, "", 0, "data=json:null"},
		/* Required attributes. */
		{"{}", 0, HERALD_MISSING, "/specversion", 0,
		 "specversion is required, but missing"},
		{"{\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}", 0, HERALD_MISSING,
		 "/specversion", 0, "specversion is required, but missing"},
		{"{\"specversion\":\"1.0\",\"source\":\"/s\",\"type\":\"t\"}", 0, HERALD_MISSING,
		 "/id", 0, "id is required, but missing"},
		{"{\"specversion\":\"1.0\",\"id\":\"1\",\"type\":\"t\"}", 0, HERALD_MISSING,
		 "/source", 0, "source is required, but missing"},
		{"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\"}", 0, HERALD_MISSING,
		 "/type", 0, "type is required, but missing"},
		{"{\"specversion\":null,\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}", 0,
		 HERALD_MISSING, "/specversion", 0, "specversion is required, but missing"},
		{"{\"specversion\":\"1.0\",\"id\":null,\"source\":\"/s\",\"type\":\"t\"}", 0,
		 HERALD_MISSING, "/id", 0, "id is required, but missing"},
		{"{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"/s\",\"type\":\"t\"}", 0,
		 HERALD_BAD_LENGTH, "/id", 26, "id: must not be empty"},
		{"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"\",\"type\":\"t\"}", 0,
		 HERALD_BAD_LENGTH, "/source", 39, "source: must not be empty"},
		{"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"\"}", 0,
		 HERALD_BAD_LENGTH, "/type", 51, "type: must not be empty"},
		{"{\"specversion\":\"1.0\",\"id\":25,\"source\":\"/s\",\"type\":\"t\"}", 0,
		 HERALD_BAD_TYPE, "/id", 26, "id: expected a string, found a number"},
		{"{\"specversion\":1.0,\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}", 0,
		 HERALD_BAD_TYPE, "/specversion", 15,
		 "specversion: expected a string, found a number"},
		{"{\"specversion\":\"1.0.2\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}", 0,
		 HERALD_BAD_VALUE, "/specversion", 15,
		 "specversion: expected \"1.0\", found \"1.0.2\""},
		{"{\"specversion\":\"1\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}", 0,
		 HERALD_BAD_VALUE, "/specversion", 15,
		 "specversion: expected \"1.0\", found \"1\""},
		{"{\"specversion\":\"\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}", 0,
		 HERALD_BAD_VALUE, "/specversion", 15, "specversion: expected \"1.0\", found \"\""},
		/* Optional ones. */
		{"{@,\"subject\":\"\"}", 0, HERALD_BAD_LENGTH, "/subject", 65,
		 "subject: must not be empty"},
		{"{@,\"dataschema\":\"\"}", 0, HERALD_BAD_LENGTH, "/dataschema", 68,
		 "dataschema: must not be empty"},
		{"{@,\"datacontenttype\":\"\"}", 0, HERALD_BAD_LENGTH, "/datacontenttype", 73,
		 "datacontenttype: must not be empty"},
		{"{@,\"datacontenttype\":\"xyz\"}", 0, HERALD_BAD_VALUE, "/datacontenttype", 73,
		 "datacontenttype: expected a media type such as application/json, found \"xyz\""},
		{"{@,\"datacontenttype\":\"text/\"}", 0, HERALD_BAD_VALUE, "/datacontenttype", 73,
		 "datacontenttype: expected a media type such as application/json, found "
		 "\"text/\""},
		{"{@,\"datacontenttype\":\"text/plain,\"}", 0, HERALD_BAD_VALUE, "/datacontenttype",
		 73,
		 "datacontenttype: expected a media type such as application/json, found "
		 "\"text/plain,\""},
		{"{@,\"subject\":{}}", 0, HERALD_BAD_TYPE, "/subject", 65,
		 "subject: expected a string, found an object"},
		{"{@,\"time\":\"\"}", 0, HERALD_BAD_TIME, "/time", 62,
		 "time: not an RFC 3339 timestamp: expected a digit of the year, found the end of "
		 "the text"},
		{"{@,\"time\":5}", 0, HERALD_BAD_TYPE, "/time", 62,
		 "time: expected a string, found a number"},
		{"{@,\"time\":\"lunchtime\"}", 0, HERALD_BAD_TIME, "/time", 62,
		 "time: not an RFC 3339 timestamp: expected a digit of the year, found 'l'"},
		/* sdk-java#249: a time without seconds. */
		{"{@,\"time\":\"2018-04-05T17:31Z\"}", 0, HERALD_BAD_TIME, "/time", 62,
		 "time: not an RFC 3339 timestamp: expected ':', found 'Z'"},
		{"{@,\"time\":\"2018-04-05T17:31:00\"}", 0, HERALD_BAD_TIME, "/time", 62,
		 "time: not an RFC 3339 timestamp: expected 'Z' or an offset, found the end of the "
		 "text"},
		{"{@,\"time\":\"2018-04-05T17:31:00.1234567890Z\"}", 0, HERALD_BAD_TIME, "/time",
		 62,
		 "time: not an RFC 3339 timestamp: expected at most nine digits of the fraction, "
		 "found more"},
		{"{@,\"time\":\"2018-02-29T17:31:00Z\"}", 0, HERALD_BAD_TIME, "/time", 62,
		 "time: not an RFC 3339 timestamp: February 29 does not exist in 2018"},
		/* Characters that the specification excludes from strings. */
		{"{\"specversion\":\"1.0\",\"id\":\"a\\nb\",\"source\":\"/s\",\"type\":\"t\"}", 0,
		 HERALD_BAD_VALUE, "/id", 26,
		 "id: expected a string without control characters, found U+000A"},
		{"{@,\"subject\":\"a\\u0000b\"}", 0, HERALD_BAD_VALUE, "/subject", 65,
		 "subject: expected a string without control characters, found U+0000"},
		{"{@,\"subject\":\"a\\u001fb\"}", 0, HERALD_BAD_VALUE, "/subject", 65,
		 "subject: expected a string without control characters, found U+001F"},
		{"{@,\"subject\":\"a\\u007fb\"}", 0, HERALD_BAD_VALUE, "/subject", 65,
		 "subject: expected a string without control characters, found U+007F"},
		{"{@,\"subject\":\"a\177b\"}", 0, HERALD_BAD_VALUE, "/subject", 65,
		 "subject: expected a string without control characters, found U+007F"},
		{"{@,\"subject\":\"a\\u0080b\"}", 0, HERALD_BAD_VALUE, "/subject", 65,
		 "subject: expected a string without control characters, found U+0080"},
		{"{@,\"subject\":\"a\302\237b\"}", 0, HERALD_BAD_VALUE, "/subject", 65,
		 "subject: expected a string without control characters, found U+009F"},
		{"{@,\"subject\":\"a\\ufdd0b\"}", 0, HERALD_BAD_VALUE, "/subject", 65,
		 "subject: expected a string without noncharacters, found U+FDD0"},
		{"{@,\"x\":\"a\357\267\257b\"}", 0, HERALD_BAD_VALUE, "/x", 59,
		 "x: expected a string without noncharacters, found U+FDEF"},
		{"{@,\"x\":\"\\ufffe\"}", 0, HERALD_BAD_VALUE, "/x", 59,
		 "x: expected a string without noncharacters, found U+FFFE"},
		{"{@,\"x\":\"\357\277\277\"}", 0, HERALD_BAD_VALUE, "/x", 59,
		 "x: expected a string without noncharacters, found U+FFFF"},
		{"{@,\"x\":\"\\ud83f\\udffe\"}", 0, HERALD_BAD_VALUE, "/x", 59,
		 "x: expected a string without noncharacters, found U+1FFFE"},
		{"{@,\"x\":\"\364\217\277\277\"}", 0, HERALD_BAD_VALUE, "/x", 59,
		 "x: expected a string without noncharacters, found U+10FFFF"},
		{"{@,\"x\":\"a\\ud83d\"}", 0, HERALD_BAD_JSON, "/x", 61,
		 "x: expected both halves of a surrogate pair, found \\ud83d alone"},
		{"{@,\"x\":\"\\ude00\"}", 0, HERALD_BAD_JSON, "/x", 60,
		 "x: expected both halves of a surrogate pair, found \\ude00 alone"},
		{"{@,\"x\":\"12345678\200\"}", 0, HERALD_BAD_UTF8, "/x", 68,
		 "x: expected UTF-8, found byte 0x80"},
		{"{@,\"x\":\"\355\240\200\"}", 0, HERALD_BAD_UTF8, "/x", 60,
		 "x: expected UTF-8, found byte 0xED"},
		{"{@,\"x\":\" ~~\302\240\357\267\217\357\267\260\357\277\275\"}", 0, HERALD_OK, "",
		 0, "x= ~~\\xC2\\xA0\\xEF\\xB7\\x8F\\xEF\\xB7\\xB0\\xEF\\xBF\\xBD"},
		/* In data they are allowed, lone surrogates excepted. */
		{"{@,\"data\":\"\\u0001\\ufffe\177\"}", 0, HERALD_OK, "", 0,
		 "data=json:\"\\u0001\\ufffe\\x7F\""},
		{"{@,\"data\":\"\\ud83d\"}", 0, HERALD_BAD_JSON, "/data", 63,
		 "data: expected both halves of a surrogate pair, found \\ud83d alone"},
		/* Names: sdk-javascript#364, sdk-go#533, sdk-python#300 (the bad name is not
		 * told). */
		{"{@,\"MyExt\":\"x\"}", 0, HERALD_BAD_VALUE, "/MyExt", 55,
		 "MyExt is not a valid attribute name: expected a-z and 0-9 only"},
		{"{@,\"my_ext\":\"x\"}", 0, HERALD_BAD_VALUE, "/my_ext", 55,
		 "my_ext is not a valid attribute name: expected a-z and 0-9 only"},
		{"{@,\"my-ext\":\"x\"}", 0, HERALD_BAD_VALUE, "/my-ext", 55,
		 "my-ext is not a valid attribute name: expected a-z and 0-9 only"},
		{"{@,\"dataContentType\":\"x\"}", 0, HERALD_BAD_VALUE, "/dataContentType", 55,
		 "dataContentType is not a valid attribute name: expected a-z and 0-9 only"},
		{"{@,\"data_base65\":\"x\"}", 0, HERALD_BAD_VALUE, "/data_base65", 55,
		 "data_base65 is not a valid attribute name: expected a-z and 0-9 only"},
		{"{@,\"\":\"x\"}", 0, HERALD_BAD_VALUE, "/", 55,
		 "/ is not a valid attribute name: expected a-z and 0-9 only"},
		{"{@,\"a\\nb\":\"x\"}", 0, HERALD_BAD_VALUE, "/a\\nb", 55,
		 "a\\nb is not a valid attribute name: expected a-z and 0-9 only"},
		{"{@,\"\303\251\":\"x\"}", 0, HERALD_BAD_VALUE, "/é", 55,
		 "\303\251 is not a valid attribute name: expected a-z and 0-9 only"},
		{"{@,\"a\":1,\"MyExt\":\"x\",\"my_ext\":2,\"\":null,\"z\":3}", IGNORE, HERALD_OK,
		 "", 0, "a=integer:1 z=integer:3"},
		{"{@,\"MyExt\":\"x\",\"MyExt\":\"x\"}", IGNORE, HERALD_DUPLICATE, "/MyExt", 67,
		 "MyExt is a duplicate"},
		{"{@,\"MyExt\":1.5}", IGNORE, HERALD_BAD_TYPE, "/MyExt", 63,
		 "MyExt: expected an integer, found a number with a fraction: 1.5"},
		{"{@,\"My\\u0000Ext\":\"x\"}", IGNORE, HERALD_OK, "", 0, ""},
		/* Extensions of other types. */
		{"{@,\"x\":2147483648}", 0, HERALD_OUT_OF_RANGE, "/x", 59,
		 "x: expected an integer from -2147483648 to 2147483647, found 2147483648"},
		{"{@,\"x\":-2147483649}", 0, HERALD_OUT_OF_RANGE, "/x", 59,
		 "x: expected an integer from -2147483648 to 2147483647, found -2147483649"},
		{"{@,\"x\":99999999999999999999}", 0, HERALD_OUT_OF_RANGE, "/x", 59,
		 "x: expected an integer from -2147483648 to 2147483647, found "
		 "99999999999999999999"},
		{"{@,\"x\":1.0}", 0, HERALD_BAD_TYPE, "/x", 59,
		 "x: expected an integer, found a number with a fraction: 1.0"},
		{"{@,\"x\":1e2}", 0, HERALD_BAD_TYPE, "/x", 59,
		 "x: expected an integer, found a number with an exponent: 1e2"},
		{"{@,\"x\":01}", 0, HERALD_BAD_JSON, "/x", 59,
		 "x: expected a number without leading zeros, found 01"},
		{"{@,\"x\":-}", 0, HERALD_BAD_JSON, "/x", 60,
		 "x: expected a digit after '-', found '}'"},
		/* Duplicates. */
		{"{@,\"id\":\"2\"}", 0, HERALD_DUPLICATE, "/id", 55, "id is a duplicate"},
		{"{\"specversion\":\"1.0\",@}", 0, HERALD_DUPLICATE, "/specversion", 21,
		 "specversion is a duplicate"},
		{"{@,\"\\u0069d\":\"2\"}", 0, HERALD_DUPLICATE, "/id", 55, "id is a duplicate"},
		{"{@,\"subject\":null,\"subject\":\"x\"}", 0, HERALD_DUPLICATE, "/subject", 70,
		 "subject is a duplicate"},
		{"{@,\"data\":1,\"data\":1}", 0, HERALD_DUPLICATE, "/data", 64,
		 "data is a duplicate"},
		{"{@,\"data_base64\":null,\"data_base64\":\"AAAA\"}", 0, HERALD_DUPLICATE,
		 "/data_base64", 74, "data_base64 is a duplicate"},
		{"{@,\"x\":1,\"x\":1}", 0, HERALD_DUPLICATE, "/x", 61, "x is a duplicate"},
		{"{@,\"x\":null,\"x\":1}", 0, HERALD_DUPLICATE, "/x", 64, "x is a duplicate"},
		{"{@,\"x\":1,\"y\":2,\"z\":3,\"\\u0078\":null}", 0, HERALD_DUPLICATE, "/x", 73,
		 "x is a duplicate"},
		/* Not an event. */
		{"", 0, HERALD_BAD_JSON, "", 0, "expected a value, found the end of the input"},
		{" ", 0, HERALD_BAD_JSON, "", 1, "expected a value, found the end of the input"},
		{"null", 0, HERALD_BAD_TYPE, "", 0, "expected an object, found null"},
		{"\"x\"", 0, HERALD_BAD_TYPE, "", 0, "expected an object, found a string"},
		{"5", 0, HERALD_BAD_TYPE, "", 0, "expected an object, found a number"},
		{"tru", 0, HERALD_BAD_JSON, "", 0, "expected a value, found tru"},
		/* sdk-javascript#440, sdk-csharp#323: an array in structured mode. */
		{"[{@}]", 0, HERALD_BAD_TYPE, "", 0, "expected an object, found an array"},
		{"[]", 0, HERALD_BAD_TYPE, "", 0, "expected an object, found an array"},
		{"\357\273\277{@}", 0, HERALD_BAD_JSON, "", 0,
		 "expected a value, found a byte order mark"},
		/* JSON is strict. */
		{"{@", 0, HERALD_BAD_JSON, "", 54,
		 "expected ',' or '}', found the end of the input"},
		{"{@}}", 0, HERALD_BAD_JSON, "", 55, "expected the end of the input, found '}'"},
		{"{@} x", 0, HERALD_BAD_JSON, "", 56, "expected the end of the input, found x"},
		{"{@}{@}", 0, HERALD_BAD_JSON, "", 55, "expected the end of the input, found '{'"},
		{"{@,}", 0, HERALD_BAD_JSON, "", 55,
		 "expected a member's name in quotes, found '}'"},
		{"{,@}", 0, HERALD_BAD_JSON, "", 1,
		 "expected a member's name in quotes, found ','"},
		{"{@ \"x\":1}", 0, HERALD_BAD_JSON, "", 55, "expected ',' or '}', found '\"'"},
		{"{@,\"x\" 1}", 0, HERALD_BAD_JSON, "", 59, "expected ':', found '1'"},
		{"{@,\"x\":}", 0, HERALD_BAD_JSON, "/x", 59,
		 "x: expected an attribute's value, found '}'"},
		{"{@,x:1}", 0, HERALD_BAD_JSON, "", 55,
		 "expected a member's name in quotes, found x"},
		{"{@,'x':1}", 0, HERALD_BAD_JSON, "", 55,
		 "expected a member's name in quotes, found a single quote"},
		{"{@,\"x\":'a'}", 0, HERALD_BAD_JSON, "/x", 59,
		 "x: expected an attribute's value, found a single quote"},
		{"{@,\"x\":nul}", 0, HERALD_BAD_JSON, "/x", 59,
		 "x: expected an attribute's value, found nul"},
		{"{@,\"x\":falsy}", 0, HERALD_BAD_JSON, "/x", 59,
		 "x: expected an attribute's value, found falsy"},
		{"{@,\"x\":NaN}", 0, HERALD_BAD_JSON, "/x", 59,
		 "x: expected an attribute's value, found NaN"},
		{"{@,\"x\":\"a}", 0, HERALD_BAD_JSON, "/x", 62,
		 "x: expected the end of a string, found the end of the input"},
		{"{@,\"x\":\"a\011\"}", 0, HERALD_BAD_JSON, "/x", 61,
		 "x: control characters in strings must be escaped, found 0x09"},
		{"{@,\"x\":\"\\x\"}", 0, HERALD_BAD_JSON, "/x", 61,
		 "x: expected one of \"\\/bfnrtu after a backslash, found x"},
		{"{@,\"data\":{\"a\":[1,{\"b\":nul}]}}", 0, HERALD_BAD_JSON, "/data/a/1/b", 75,
		 "b: expected a value, found nul"},
		{"{@,\"data\":{\"a\":1,}}", 0, HERALD_BAD_JSON, "/data", 69,
		 "data: expected a member's name in quotes, found '}'"},
		{"{@,\"data\":[1,2}", 0, HERALD_BAD_JSON, "/data", 66,
		 "data: expected ',' or ']', found '}'"},
		{"{@,\"data\":}", 0, HERALD_BAD_JSON, "/data", 62,
		 "data: expected a value, found '}'"},
		{"{@,\"data\":\"a}", 0, HERALD_BAD_JSON, "/data", 65,
		 "data: expected the end of a string, found the end of the input"},
		{"{@,\"data\":{\"a\":1}", 0, HERALD_BAD_JSON, "", 69,
		 "expected ',' or '}', found the end of the input"},
		/* Whoever decodes the data checks it. */
		{"{@,\"data\":{\"a\":[1,tru]},\"x\":1}", UNCHECKED, HERALD_OK, "", 0,
		 "x=integer:1 data=json:{\"a\":[1,tru]}"},
		{"{@,\"data\":{\"a\":\"]}\\\"{\"},\"x\":1}", UNCHECKED, HERALD_OK, "", 0,
		 "x=integer:1 data=json:{\"a\":\"]}\\\"{\"}"},
		{"{@,\"data\":{\"a\":\"x}}", UNCHECKED, HERALD_BAD_JSON, "/data", 71,
		 "data: expected the end of an array or an object, found the end of the input"},
		{"{@,\"data\":tru}", UNCHECKED, HERALD_BAD_JSON, "/data", 62,
		 "data: expected a value, found tru"},
		{"{@,\"data\":\"\\x\"}", UNCHECKED, HERALD_BAD_JSON, "/data", 64,
		 "data: expected one of \"\\/bfnrtu after a backslash, found x"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_cloudevent_options options = {
			.ignore_bad_names = (cases[i].options & IGNORE) != 0,
			.json_extensions = (cases[i].options & JSON) != 0,
			.data_unchecked = (cases[i].options & UNCHECKED) != 0,
		};
		char *body = expand_event(cases[i].body), rendered[RENDERED_BYTES];
		struct request request;
		const char *result = rendered;

		request_init(&request);
		request_set_body(&request, body, strlen(body));
		request.status = herald_cloudevent_decode_structured(
			request.body, request.body_bytes, &options, request.arena,
			&request.events[0], &request.error);
		if (request.status == HERALD_OK) {
			assert_int_equal(request.events[0].mode, HERALD_CLOUDEVENT_STRUCTURED);
			render_event(&request.events[0], rendered);
		} else {
			result = request.error.message;
			assert_int_equal(request.error.status, request.status);
			assert_string_equal(request.error.path, cases[i].path);
			assert_int_equal(request.error.offset, cases[i].offset);
		}
		if (request.status != cases[i].status || strcmp(result, cases[i].result) != 0)
			fail_msg("%s: %s %s", body, herald_status_name(request.status), result);
		free(body);
		request_finish(&request);
	}
}

/* Decode, and return the status; the error's path is checked. */
static enum herald_status
decode(const char *text, const struct herald_cloudevent_options *options, const char *path)
{
	char *body = expand_event(text);
	struct request request;
	enum herald_status status;

	request_init(&request);
	request_set_body(&request, body, strlen(body));
	status = herald_cloudevent_decode_structured(request.body, request.body_bytes, options,
						     request.arena, &request.events[0],
						     &request.error);
	if (status != HERALD_OK)
		assert_string_equal(request.error.path, path);
	free(body);
	request_finish(&request);
	return status;
}

static void
test_limits(void **state)
{
	static const struct {
		struct herald_cloudevent_options options;
		const char *good, *bad, *path;
	} cases[] = {
		{{.max_attribute_bytes = 3},
		 "{@,\"subject\":\"abc\"}",
		 "{@,\"subject\":\"abcd\"}",
		 "/subject"},
		/* Bytes as they are after undoing escapes. */
		{{.max_attribute_bytes = 3},
		 "{@,\"x\":\"\\u20ac\"}",
		 "{@,\"x\":\"\\u20ac.\"}",
		 "/x"},
		{{.max_attribute_bytes = 7, .json_extensions = true},
		 "{@,\"x\":[1,2,3]}",
		 "{@,\"x\":[1,2,3 ]}",
		 "/x"},
		{{.max_extensions_count = 1}, "{@,\"x\":1}", "{@,\"x\":1,\"y\":1}", "/y"},
		{{.max_extensions_count = 1}, "{@,\"x\":null}", "{@,\"x\":null,\"y\":1}", "/y"},
		{{.limits.max_depth = 1}, "{@}", "{@,\"data\":[]}", "/data"},
		{{.limits.max_depth = 2}, "{@,\"data\":[1]}", "{@,\"data\":[[]]}", "/data/0"},
		{{.limits.max_key_bytes = 11},
		 "{@,\"a1234567890\":1}",
		 "{@,\"a12345678901\":1}",
		 ""},
		{{.limits.max_string_bytes = 4},
		 "{@,\"data\":\"1234\"}",
		 "{@,\"data\":\"12345\"}",
		 "/data"},
		{{.limits.max_string_bytes = 4},
		 "{@,\"data_base64\":\"AAAA\"}",
		 "{@,\"data_base64\":\"AAAAAAAA\"}",
		 "/data_base64"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(decode(cases[i].good, &cases[i].options, ""), HERALD_OK);
		assert_int_equal(decode(cases[i].bad, &cases[i].options, cases[i].path),
				 HERALD_LIMIT);
	}
}

/* Sixty-four extensions (spec#286), and 64 KiB. */
static void
test_default_limits(void **state)
{
	static char text[80 * 1024];
	size_t bytes = (size_t)sprintf(text, "{@");

	(void)state;
	for (int i = 0; i < 64; i++)
		bytes += (size_t)sprintf(text + bytes, ",\"x%d\":%d", i, i);
	strcpy(text + bytes, "}");
	assert_int_equal(decode(text, NULL, ""), HERALD_OK);
	strcpy(text + bytes, ",\"x64\":null}");
	assert_int_equal(decode(text, NULL, "/x64"), HERALD_LIMIT);
	/* The last one is compared with all others. */
	strcpy(text + bytes, ",\"x0\":null}");
	assert_int_equal(decode(text, NULL, "/x0"), HERALD_DUPLICATE);

	bytes = (size_t)sprintf(text, "{@,\"subject\":\"");
	memset(text + bytes, 'a', 65536);
	strcpy(text + bytes + 65536, "\"}");
	assert_int_equal(decode(text, NULL, ""), HERALD_OK);
	strcpy(text + bytes + 65536, "b\"}");
	assert_int_equal(decode(text, NULL, "/subject"), HERALD_LIMIT);
}

static void
test_bad_options(void **state)
{
	(void)state;
	assert_int_equal(
		decode("{@}", &(struct herald_cloudevent_options){.limits.max_depth = 1024}, ""),
		HERALD_OK);
	assert_int_equal(decode("{@}",
				&(struct herald_cloudevent_options){.limits.max_depth = 1025},
				"limits.max_depth"),
			 HERALD_BAD_OPTION);
	assert_int_equal(decode("{@}",
				&(struct herald_cloudevent_options){.max_extensions_count = 1024},
				""),
			 HERALD_OK);
	assert_int_equal(decode("{@}",
				&(struct herald_cloudevent_options){.max_extensions_count = 1025},
				"max_extensions_count"),
			 HERALD_BAD_OPTION);
}

/* An event that takes memory for its extensions, and for their texts. */
static const char many[] = "{@,\"a\":1,\"b\":2,\"c\":{},\"d\":\"4\",\"e\":5,\"f\":true,\"g\":7,"
			   "\"h\":8,\"i\":9,\"j\":10,\"data_base64\":\"AAAA\"}";

static const struct herald_cloudevent_options lenient = {.json_extensions = true};

static void
test_memory_limit(void **state)
{
	char *body = expand_event(many);
	struct herald_error error;

	(void)state;
	for (size_t limit = 16;; limit += 16) {
		struct herald_cloudevent event = {.extensions_count = 77};
		struct herald_arena *arena;
		char *copy = strdup(body);
		enum herald_status status;

		assert_int_equal(herald_arena_create(NULL, limit, &arena), HERALD_OK);
		status = herald_cloudevent_decode_structured(copy, strlen(body), &lenient, arena,
							     &event, &error);
		if (status != HERALD_OK) {
			assert_int_equal(status, HERALD_LIMIT);
			assert_int_equal(event.extensions_count, 77);
		}
		herald_arena_destroy(arena);
		free(copy);
		if (status == HERALD_OK)
			break;
		assert_true(limit < 4096);
	}
	free(body);
}

static void
test_no_memory(void **state)
{
	char *body = expand_event(many);
	size_t n = 2;

	(void)state;
	for (;; n++) {
		struct failing_allocator memory;
		struct herald_cloudevent event;
		struct herald_arena *arena;
		char *copy = strdup(body);
		enum herald_status status;

		failing_allocator_init(&memory, FAIL_FROM, n);
		assert_int_equal(herald_arena_create(&memory.allocator, 0, &arena), HERALD_OK);
		status = herald_cloudevent_decode_structured(copy, strlen(body), &lenient, arena,
							     &event, NULL);
		assert_int_equal(status, memory.failures ? HERALD_NO_MEMORY : HERALD_OK);
		herald_arena_destroy(arena);
		assert_all_released(&memory);
		free(copy);
		if (status == HERALD_OK)
			break;
	}
	assert_true(n > 2);
	free(body);
}

/* No malloc once the arena is warm. */
static void
test_steady_state(void **state)
{
	char *body = expand_event(many), *copy = strdup(body);
	struct failing_allocator memory;
	struct herald_arena *arena;
	size_t calls = 0;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	assert_int_equal(herald_arena_create(&memory.allocator, 0, &arena), HERALD_OK);
	for (int i = 0; i < 10; i++) {
		struct herald_cloudevent event;

		memcpy(copy, body, strlen(body));
		assert_int_equal(herald_cloudevent_decode_structured(copy, strlen(body), &lenient,
								     arena, &event, NULL),
				 HERALD_OK);
		assert_int_equal(event.extensions_count, 10);
		herald_arena_reset(arena);
		if (i == 4)
			calls = memory.calls;
	}
	assert_int_equal(memory.calls, calls);
	herald_arena_destroy(arena);
	free(body);
	free(copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),         cmocka_unit_test(test_limits),
		cmocka_unit_test(test_default_limits), cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_memory_limit),   cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_steady_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
