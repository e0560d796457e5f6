//! Answers what no route takes.

fn main() -> std::process::ExitCode {
    oxcart_operations::functions::answer_unrouted()
}
