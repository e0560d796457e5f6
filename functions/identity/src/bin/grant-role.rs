//! Gives a user a role; reached by operators under IAM only.

fn main() -> std::process::ExitCode {
    oxcart_identity::functions::grant_role()
}
