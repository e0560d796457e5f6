//! What people do with their own accounts, and where they log in from.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    api::Answer,
    shop::{PASSWORD, Person, new_user},
    stack::Stack,
    workspace,
};

/// Somebody who has registered and logged in just now, with what only they know.
#[derive(Debug, Clone)]
pub struct Account {
    /// Who it is.
    pub person: Person,
    /// The user as the API showed them when they registered; nobody else has their name.
    pub user: Value,
    /// The e-mail address.
    pub email: String,
    /// The refresh token of the first session.
    pub refresh_token: Value,
}

/// An e-mail address that nobody has registered.
pub fn new_email() -> String {
    text(&new_user()["email"])
}

impl Stack {
    /// An account with one session, begun over the API.
    pub async fn new_account(&self) -> Account {
        let mut user = new_user();
        user["name"] = json!(format!("Ada {}", Uuid::new_v4()));
        let user = self.register(&user).await;
        let email = text(&user["email"]);
        let session = self.session(&email, PASSWORD).await;
        Account {
            person: Person {
                id: text(&user["id"]),
                token: text(&session["access_token"]),
            },
            user,
            email,
            refresh_token: session["refresh_token"].clone(),
        }
    }

    /// `GET /users/me`
    pub async fn me(&self, person: &Person) -> Answer {
        let call = self.api.get("/users/me");
        call.bearer(&person.token).send().await
    }

    /// `PATCH /users/me`
    pub async fn update_user(&self, person: &Person, changes: &Value) -> Answer {
        let call = self.api.patch("/users/me");
        call.bearer(&person.token).json(changes).send().await
    }

    /// `POST /users/me/password`
    pub async fn change_password(&self, person: &Person, current: &str, new: &str) -> Answer {
        let call = self.api.post("/users/me/password");
        let change = json!({"current_password": current, "new_password": new});
        call.bearer(&person.token).json(&change).send().await
    }

    /// `DELETE /users/me`
    pub async fn erase_user(&self, person: &Person) -> Answer {
        let call = self.api.delete("/users/me");
        call.bearer(&person.token).send().await
    }

    /// Signs in from this address. All that comes over the API comes from one, so the function is asked
    /// itself, as the gateway would ask it.
    pub async fn log_in_from(&self, source: &str, email: &str, password: &str) -> Answer {
        self.log_in_through("login", source, email, password).await
    }

    /// Signs in from this address through another function than `login` that does the same.
    pub async fn log_in_through(
        &self,
        function: &str,
        source: &str,
        email: &str,
        password: &str,
    ) -> Answer {
        let mut event = workspace::json("events/login.json");
        event["requestContext"]["http"]["sourceIp"] = json!(source);
        event["body"] = json!(json!({"email": email, "password": password}).to_string());
        let answer = self.answer_of(function, &event).await;
        Answer::of_function(format!("{function} from {source}"), &answer)
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
