//! What the stack must write nowhere: the tokens that it hands out. They are noted in a file beside the stack's
//! settings, and when all tests are done its logs and spans are searched for them.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    sync::{Mutex, OnceLock, PoisonError},
};

use serde_json::Value;

use crate::stack::settings_file;

/// The fields of answers and requests that hold secrets.
const SECRET: [&str; 8] = [
    "access_token",
    "refresh_token",
    "client_secret",
    "password",
    "current_password",
    "new_password",
    "email",
    "payment_method",
];
/// Shorter texts stand in lines by chance.
const SHORTEST: usize = 12;

/// Notes the secrets in a body, if it is JSON.
pub(crate) fn plant(body: &[u8]) {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return;
    };
    for name in SECRET {
        let secret = fields.get(name).and_then(Value::as_str).unwrap_or_default();
        let is_line = !secret.chars().any(char::is_control);
        if secret.len() >= SHORTEST && is_line {
            note(secret);
        }
    }
}

fn note(secret: &str) {
    static FILE: OnceLock<Mutex<File>> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let path = settings_file().with_file_name("canaries.txt");
        let file = OpenOptions::new().create(true).append(true).open(path);
        Mutex::new(file.expect("a file for canaries"))
    });
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(file, "{secret}").expect("to note a canary");
}
