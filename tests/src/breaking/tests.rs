//! That the comparison finds each kind of break, and lets what is harmless pass.

use serde_json::{Value, json};

use super::{changes, event_changes};

/// An API with a little of everything.
fn document() -> Value {
    json!({
        "security": [{"bearer": []}],
        "paths": {
            "/mugs/{sku}": {
                "parameters": [{"$ref": "#/components/parameters/Sku"}],
                "get": {
                    "operationId": "get-mug",
                    "security": [],
                    "parameters": [{
                        "name": "colours", "in": "query", "style": "form", "explode": false,
                        "schema": {"type": "array", "items": {"enum": ["red", "blue"]}, "maxItems": 5},
                    }],
                    "responses": {
                        "200": {
                            "headers": {"ETag": {"required": true, "schema": {"type": "string"}}},
                            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Mug"}}},
                        },
                        "404": {"content": {"application/json": {}, "text/plain": {}}},
                    },
                },
                "put": {
                    "operationId": "put-mug",
                    "requestBody": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PutMug"}}},
                    },
                    "responses": {"204": {}},
                },
            },
        },
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "parameters": {
                "Sku": {"name": "sku", "in": "path", "required": true, "schema": {"type": "string", "maxLength": 64}},
            },
            "schemas": {
                "Price": {
                    "type": "object",
                    "required": ["amount"],
                    "properties": {"amount": {"type": "integer", "minimum": 0}, "currency": {"type": "string"}},
                },
                "Mug": {
                    "type": "object",
                    "required": ["size", "price"],
                    "properties": {
                        "size": {"type": "string", "enum": ["S", "M"]},
                        "kind": {"type": "string", "enum": ["mug"], "description": "More of them may be added."},
                        "price": {"oneOf": [{"$ref": "#/components/schemas/Price"}, {"type": "null"}]},
                        "made_at": {"type": "string", "format": "date-time"},
                        "handles": {"type": "array", "items": {"type": "integer"}, "maxItems": 4},
                        "grams": {"type": "integer", "minimum": 1, "maximum": 900},
                        "notes": {"type": "array"},
                    },
                },
                "PutMug": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["size"],
                    "properties": {
                        "size": {"type": "string", "enum": ["S", "M"]},
                        "name": {"type": ["string", "null"], "minLength": 1, "maxLength": 20},
                        "price": {"allOf": [{"$ref": "#/components/schemas/Price"}]},
                        "finish": {
                            "allOf": [
                                {"type": "string", "maxLength": 9, "enum": ["matt", "raw"]},
                                {"maxLength": 12, "enum": ["raw", "gold"]},
                            ],
                        },
                        "notes": {"type": "array"},
                    },
                },
            },
        },
    })
}

/// What is found when the value at `pointer` is another, or is gone.
fn found(pointer: &str, value: Option<Value>) -> Vec<String> {
    let mut after = document();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let name = name.replace("~1", "/");
    let parent = after.pointer_mut(parent).expect("a parent");
    if let Some(value) = value {
        parent[&name] = value;
    } else {
        let removed = parent.as_object_mut().expect("an object").remove(&name);
        assert!(removed.is_some(), "{pointer}");
    }
    changes(&document(), &after).into_iter().collect()
}

const MUG: &str = "/components/schemas/Mug";
const PUT: &str = "/components/schemas/PutMug";
const READ: &str = "/paths/~1mugs~1{sku}/get";
const WRITE: &str = "/paths/~1mugs~1{sku}/put";
const ANSWER: &str = "GET /mugs/{sku} 200, application/json";
const BODY: &str = "PUT /mugs/{sku}, body, application/json";

#[test]
fn a_document_does_not_break_itself() {
    assert!(changes(&document(), &document()).is_empty());
}

#[test]
fn what_is_gone_is_found() {
    for (pointer, what) in [
        (
            "/paths/~1mugs~1{sku}/get".to_owned(),
            "GET /mugs/{sku}: is gone",
        ),
        (
            format!("{READ}/responses/404"),
            "GET /mugs/{sku} 404: is no answer any more",
        ),
        (
            format!("{READ}/responses/404/content/text~1plain"),
            "GET /mugs/{sku} 404, text/plain: is gone",
        ),
        (
            format!("{READ}/responses/200/headers/ETag"),
            "GET /mugs/{sku} 200, ETag: is gone",
        ),
        (
            format!("{READ}/parameters"),
            "GET /mugs/{sku}, query colours: is gone",
        ),
        (
            format!("{WRITE}/requestBody"),
            "PUT /mugs/{sku}, body: is gone",
        ),
    ] {
        assert_eq!(found(&pointer, None), [what]);
    }
    for member in ["made_at", "handles"] {
        let what = format!("{ANSWER} /{member}: is gone");
        assert_eq!(found(&format!("{MUG}/properties/{member}"), None), [what]);
    }
    let what = format!("{BODY} /name: is gone");
    assert_eq!(found(&format!("{PUT}/properties/name"), None), [what]);
}

#[test]
fn an_operation_that_asks_for_more_is_found() {
    for (pointer, value, what) in [
        (
            format!("{READ}/operationId"),
            json!("read-mug"),
            "GET /mugs/{sku}: has another operationId",
        ),
        (
            format!("{READ}/security"),
            json!([{"bearer": []}]),
            "GET /mugs/{sku}: needs a token from now on",
        ),
        (
            format!("{WRITE}/security"),
            json!([{"cookie": []}]),
            "PUT /mugs/{sku}: lets nobody in by {\"bearer\"} any more",
        ),
        (
            format!("{WRITE}/security"),
            json!([{"bearer": [], "cookie": []}]),
            "PUT /mugs/{sku}: lets nobody in by {\"bearer\"} any more",
        ),
        (
            "/components/securitySchemes/bearer/scheme".to_owned(),
            json!("basic"),
            "bearer: has another scheme",
        ),
        (
            format!("{READ}/parameters/0/required"),
            json!(true),
            "GET /mugs/{sku}, query colours: is required from now on",
        ),
        (
            format!("{WRITE}/parameters"),
            json!([{"name": "Key", "in": "header", "required": true}]),
            "PUT /mugs/{sku}, header Key: is required from now on",
        ),
        (
            format!("{READ}/parameters/0/explode"),
            json!(true),
            "GET /mugs/{sku}, query colours: has another explode",
        ),
        (
            format!("{WRITE}/requestBody/required"),
            json!(true),
            "PUT /mugs/{sku}, body: is required from now on",
        ),
    ] {
        assert_eq!(found(&pointer, Some(value)), [what]);
    }
}

#[test]
fn a_request_that_may_be_less_is_found() {
    let narrower = |keyword: &str, is: i32, was: &str| {
        format!("{BODY} /name: has a narrower {keyword}: {is}, not {was}")
    };
    for (pointer, value, what) in [
        (
            "/required",
            json!(["size", "name"]),
            format!("{BODY}: name is required from now on"),
        ),
        (
            "/properties/size/enum",
            json!(["S"]),
            format!("{BODY} /size: \"M\" is refused from now on"),
        ),
        (
            "/properties/price/enum",
            json!([null]),
            format!("{BODY} /price: takes certain values only from now on"),
        ),
        (
            "/properties/name/type",
            json!("string"),
            format!("{BODY} /name: is {{\"string\"}} and was {{\"null\", \"string\"}}"),
        ),
        (
            "/properties/name/minLength",
            json!(2),
            narrower("minLength", 2, "1"),
        ),
        (
            "/properties/name/maxLength",
            json!(19),
            narrower("maxLength", 19, "20"),
        ),
        (
            "/properties/notes/minimum",
            json!(-1),
            format!("{BODY} /notes: has a narrower minimum: -1, not null"),
        ),
        (
            "/properties/notes/items",
            json!({"type": "string"}),
            format!("{BODY} /notes/*: is {{\"string\"}} and was {{}}"),
        ),
        (
            "/properties/finish/allOf/0/maxLength",
            json!(8),
            format!("{BODY} /finish: has a narrower maxLength: 8, not 9"),
        ),
        (
            "/properties/finish/allOf/0/enum",
            json!(["matt"]),
            format!("{BODY} /finish: \"raw\" is refused from now on"),
        ),
        (
            "/properties/name/pattern",
            json!("^a"),
            format!("{BODY} /name: has another pattern: \"^a\", not null"),
        ),
        (
            "/properties/name/default",
            json!("mug"),
            format!("{BODY} /name: has another default: \"mug\", not null"),
        ),
        (
            "/properties/size/anyOf",
            json!([{"const": "S"}]),
            format!("{BODY} /size: has other alternatives (anyOf)"),
        ),
        (
            "/properties/price/additionalProperties",
            json!(false),
            format!("{BODY} /price: other members are refused from now on"),
        ),
    ] {
        assert_eq!(found(&format!("{PUT}{pointer}"), Some(value)), [what]);
    }
    let what = "GET /mugs/{sku}, path sku: has a narrower maxLength: 63, not 64";
    let of_get = found(
        "/components/parameters/Sku/schema/maxLength",
        Some(json!(63)),
    );
    assert!(of_get.contains(&what.to_owned()), "{of_get:?}");
    let what = "GET /mugs/{sku}, query colours /*: \"red\" is refused from now on";
    let colours = format!("{READ}/parameters/0/schema/items/enum");
    assert_eq!(found(&colours, Some(json!(["blue"]))), [what]);
}

#[test]
fn an_answer_that_may_be_more_is_found() {
    for (pointer, value, what) in [
        (
            "/required",
            json!(["price"]),
            "size may be missing from now on",
        ),
        (
            "/properties/size/enum",
            json!(["S", "M", "L"]),
            "/size: may be \"L\" from now on",
        ),
        (
            "/properties/size",
            json!({"type": "string"}),
            "/size: may have any value from now on",
        ),
        // A change doesn't excuse itself.
        (
            "/properties/size",
            json!({"type": "string", "description": "More may be added."}),
            "/size: may have any value from now on",
        ),
        (
            "/properties/size",
            json!({"type": "string", "enum": ["S", "M", "L"], "description": "More may be added."}),
            "/size: may be \"L\" from now on",
        ),
        (
            "/properties/grams/maximum",
            json!(901),
            "/grams: has a wider maximum: 901, not 900",
        ),
        (
            "/properties/grams/minimum",
            json!(0),
            "/grams: has a wider minimum: 0, not 1",
        ),
        (
            "/properties/handles/maxItems",
            json!(5),
            "/handles: has a wider maxItems: 5, not 4",
        ),
        (
            "/properties/size/type",
            json!(["string", "null"]),
            "/size: is {\"null\", \"string\"} and was {\"string\"}",
        ),
        (
            "/properties/handles/items/type",
            json!("number"),
            "/handles/*: is {\"number\"} and was {\"integer\"}",
        ),
        (
            "/properties/made_at/format",
            json!("date"),
            "/made_at: has another format: \"date\", not \"date-time\"",
        ),
    ] {
        let separator = if what.starts_with('/') { " " } else { ": " };
        let whole = format!("{ANSWER}{separator}{what}");
        assert_eq!(found(&format!("{MUG}{pointer}"), Some(value)), [whole]);
    }
    for (member, what) in [
        ("grams/maximum", "grams: has a wider maximum: null, not 900"),
        ("handles/items", "handles/*: is {} and was {\"integer\"}"),
    ] {
        let whole = format!("{ANSWER} /{what}");
        assert_eq!(found(&format!("{MUG}/properties/{member}"), None), [whole]);
    }
    for (answer, what) in [
        ("200", "200: may come from now on"),
        ("204/content", "204, text/plain: may come from now on"),
    ] {
        let answer = format!("{WRITE}/responses/{answer}");
        let whole = format!("PUT /mugs/{{sku}} {what}");
        assert_eq!(found(&answer, Some(json!({"text/plain": {}}))), [whole]);
    }
    let what = "GET /mugs/{sku} 200, ETag: may be missing from now on";
    let etag = format!("{READ}/responses/200/headers/ETag/required");
    assert_eq!(found(&etag, Some(json!(false))), [what]);
    // What several schemas refer to is found in each.
    let price = found("/components/schemas/Price/required", Some(json!([])));
    assert_eq!(
        price,
        [format!(
            "{ANSWER} /price: amount may be missing from now on"
        )]
    );
}

#[test]
fn a_new_success_is_passed_only_if_a_new_parameter_asks_for_it() {
    let what = "PUT /mugs/{sku} 200: may come from now on";
    for (parameter, description, expected) in [
        ("dry", "Only with `dry=true`: what there would be.", None),
        (
            "wet",
            "Only with `dry=true`: what there would be.",
            Some(what),
        ),
        ("dry", "Only with `sku`: what there is.", Some(what)),
        ("dry", "What there is.", Some(what)),
    ] {
        let mut after = document();
        let operation = after.pointer_mut(WRITE).expect("an operation");
        operation["parameters"] = json!([{"name": parameter, "in": "query"}]);
        operation["responses"]["200"] = json!({ "description": description });
        let changes: Vec<_> = changes(&document(), &after).into_iter().collect();
        assert_eq!(
            changes,
            Vec::from_iter(expected),
            "{parameter}: {description}"
        );
    }
}

#[test]
fn an_event_that_is_gone_or_may_be_more_is_found() {
    let before = json!({
        "events": {
            "mug.broken": {"properties": {"by": {"$ref": "#/parts/types/$defs/who"}}},
            "mug.sold": {},
        },
        "parts": {"types": {"$defs": {"who": {"enum": ["cat"]}}}},
    });
    let mut more = before.clone();
    more["events"]["mug.bought"] = json!({});
    more["events"]["mug.sold"]["properties"] = json!({"at": {"type": "string"}});
    assert!(event_changes(&before, &more).is_empty());

    let broken = json!({
        "events": {"mug.broken": before["events"]["mug.broken"]},
        "parts": {"types": {"$defs": {"who": {"enum": ["cat", "dog"]}}}},
    });
    let found: Vec<_> = event_changes(&before, &broken).into_iter().collect();
    assert_eq!(
        found,
        [
            "mug.broken /by: may be \"dog\" from now on",
            "mug.sold: is gone"
        ]
    );
}

#[test]
fn what_clients_have_to_bear_is_passed() {
    for (pointer, value) in [
        (format!("{READ}/summary"), json!("Another")),
        (format!("{READ}/responses/304"), json!({})),
        (
            format!("{READ}/responses/200/headers/Age"),
            json!({"schema": {"type": "integer"}}),
        ),
        (format!("{WRITE}/security"), json!([])),
        (
            format!("{WRITE}/security"),
            json!([{"cookie": []}, {"bearer": []}]),
        ),
        (
            "/components/securitySchemes/bearer/description".to_owned(),
            json!("A token."),
        ),
        (format!("{WRITE}/responses/409"), json!({})),
        (
            format!("{WRITE}/requestBody/content/text~1plain"),
            json!({}),
        ),
        (
            format!("{WRITE}/parameters"),
            json!([{"name": "dry", "in": "query", "schema": {"type": "boolean"}}]),
        ),
        (
            "/paths/~1mugs".to_owned(),
            json!({"get": {"operationId": "list-mugs"}}),
        ),
        (
            "/components/parameters/Sku/schema/maxLength".to_owned(),
            json!(65),
        ),
        (
            format!("{MUG}/properties/weight"),
            json!({"type": "integer"}),
        ),
        (
            format!("{MUG}/required"),
            json!(["size", "price", "handles"]),
        ),
        (format!("{MUG}/properties/size/enum"), json!(["S"])),
        (format!("{MUG}/properties/kind/enum"), json!(["mug", "cup"])),
        (
            format!("{MUG}/properties/kind"),
            json!({"type": "string", "enum": ["mug", "cup"]}),
        ),
        (format!("{MUG}/properties/grams/maximum"), json!(899)),
        (format!("{MUG}/properties/grams/minimum"), json!(2)),
        (format!("{MUG}/properties/handles/maxItems"), json!(3)),
        (
            format!("{MUG}/properties/notes/items"),
            json!({"type": "string"}),
        ),
        (
            format!("{MUG}/properties/price"),
            json!({"$ref": "#/components/schemas/Price"}),
        ),
        (format!("{MUG}/properties/made_at/pattern"), json!("Z$")),
        (format!("{MUG}/oneOf"), json!([{"required": ["kind"]}])),
        (
            format!("{PUT}/properties/colour"),
            json!({"type": "string"}),
        ),
        (format!("{PUT}/required"), json!([])),
        (
            format!("{PUT}/properties/size/enum"),
            json!(["S", "M", "L"]),
        ),
        (format!("{PUT}/properties/size"), json!({"type": "string"})),
        (
            format!("{PUT}/properties/name"),
            json!({"type": ["string", "null", "integer"]}),
        ),
        (format!("{PUT}/properties/name/minLength"), json!(0)),
        (format!("{PUT}/properties/notes/minItems"), json!(0)),
        (
            format!("{PUT}/properties/finish/allOf/1/maxLength"),
            json!(10),
        ),
        (
            format!("{PUT}/properties/finish/allOf/1/enum"),
            json!(["raw"]),
        ),
        (format!("{PUT}/additionalProperties"), json!(true)),
    ] {
        assert_eq!(
            found(&pointer, Some(value)),
            Vec::<String>::new(),
            "{pointer}"
        );
    }
    for pointer in [
        format!("{PUT}/properties/name/maxLength"),
        format!("{READ}/parameters/0/schema/items"),
    ] {
        assert!(found(&pointer, None).is_empty(), "{pointer}");
    }
}
