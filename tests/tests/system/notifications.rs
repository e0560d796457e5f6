//! E-mails to customers, read where the emulator keeps what was sent.

use oxcart_tests::{
    eventually::{PATIENCE, eventually},
    shop::new_user,
    stack::Stack,
};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn who_registers_is_welcomed_in_text_and_html() {
    let stack = Stack::connect().await;
    let mut user = new_user();
    user["name"] = json!("Ada of https://elsewhere.example");

    stack.register(&user).await;

    let mail = first_mail_to(&stack, user["email"].as_str().unwrap()).await;
    assert_eq!(mail["Source"], stack.setting("SENDER_ADDRESS"));
    for form in ["BodyText", "BodyHtml"] {
        let body = mail[form].as_str().unwrap();
        assert!(body.contains("your account is ready"), "{mail}");
        assert!(!body.contains("elsewhere"), "a stranger's words: {mail}");
    }
}

#[tokio::test]
async fn an_event_that_is_delivered_three_times_sends_one_email() {
    let stack = Stack::connect().await;
    let email = format!("thrice-{}@example.com", Uuid::new_v4());
    let event = registered(&email);
    let after = registered(&format!("after-{}@example.com", Uuid::new_v4()));

    let messages = [&event, &event, &event, &after].map(Value::to_string);
    stack
        .send_messages("NOTIFICATIONS_QUEUE_URL", &messages)
        .await;
    stack
        .send_messages("NOTIFICATIONS_QUEUE_URL", &[event.to_string()])
        .await;

    first_mail_to(&stack, after["data"]["email"].as_str().unwrap()).await;
    let key = format!("NOTIFICATION#{}", event["id"].as_str().unwrap());
    eventually(
        "the notification is remembered as sent",
        PATIENCE,
        async || match stack.item("NOTIFICATIONS_TABLE", &key).await {
            Some(item) if item["status"] == "SENT" => Ok(()),
            other => Err(format!("{other:?}")),
        },
    )
    .await;
    assert_eq!(mails_to(&stack, &email).await.len(), 1);
}

fn registered(email: &str) -> Value {
    let user_id = Uuid::new_v4();
    json!({
        "specversion": "1.0",
        "id": Uuid::new_v4(),
        "source": "/oxcart/identity",
        "type": "user.registered",
        "subject": user_id,
        "time": "2026-01-02T03:04:05.000Z",
        "datacontenttype": "application/json",
        "data": {"user_id": user_id, "email": email, "name": "Ada", "role": "customer"},
    })
}

async fn first_mail_to(stack: &Stack, address: &str) -> Value {
    eventually(&format!("an e-mail to {address}"), PATIENCE, async || {
        let mut mails = mails_to(stack, address).await;
        if mails.is_empty() {
            Err("none yet".to_owned())
        } else {
            Ok(mails.remove(0))
        }
    })
    .await
}

pub(crate) async fn mails_to(stack: &Stack, address: &str) -> Vec<Value> {
    let url = format!(
        "{}/_ministack/ses/messages",
        stack.setting("AWS_ENDPOINT_URL")
    );
    let answer = reqwest::get(url).await.expect("the emulator answers");
    let sent: Value = answer.json().await.expect("JSON");
    let accounts = sent["messages"].as_object().expect("by account").values();
    let mails = accounts.flat_map(|mails| mails.as_array().expect("a list").clone());
    mails.filter(|mail| mail["To"][0] == address).collect()
}
