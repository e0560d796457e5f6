//! The rules that are armed, and what has become of each.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::caller::Caller;
use super::message::Message;
use super::rule::{Action, Rule};
use super::service::{self, Service};

/// How long a call is held if nobody releases it. Whoever armed the rule may be gone.
const HELD: Duration = Duration::from_mins(2);

/// All rules.
#[derive(Default)]
pub(super) struct Book {
    /// How many there are, so that nothing has to be locked while there are none.
    armed: AtomicUsize,
    pages: Mutex<Pages>,
    changed: Condvar,
    /// The order of each payment intent.
    intents: Mutex<HashMap<String, String>>,
}

#[derive(Default)]
struct Pages {
    last: u64,
    rules: BTreeMap<u64, Page>,
}

struct Page {
    rule: Rule,
    /// Calls that the rule is about, struck or not.
    seen: u64,
    /// Calls that were struck.
    hits: u64,
    /// Calls that wait at this moment.
    holding: u64,
    released: bool,
    /// What the calls that were struck asked for.
    calls: Vec<String>,
    /// What passed in those that were watched.
    exchanges: Vec<Value>,
    /// Why a call that the rule may be about could not be judged.
    trouble: Option<String>,
}

/// A call that was struck.
pub(super) struct Strike {
    rule: u64,
    pub(super) action: Action,
    pub(super) hang: Duration,
}

impl Book {
    /// Arms a rule. Answers its number.
    pub(super) fn arm(&self, rule: Rule) -> u64 {
        let mut pages = self.pages();
        pages.last += 1;
        let id = pages.last;
        let page = Page {
            rule,
            seen: 0,
            hits: 0,
            holding: 0,
            released: false,
            calls: Vec::new(),
            exchanges: Vec::new(),
            trouble: None,
        };
        pages.rules.insert(id, page);
        self.armed.store(pages.rules.len(), Ordering::SeqCst);
        id
    }

    /// What has become of a rule.
    pub(super) fn look_up(&self, id: u64) -> Option<Value> {
        self.pages().rules.get(&id).map(|page| page.describe(id))
    }

    /// What passed in the calls that a rule watched.
    pub(super) fn exchanges(&self, id: u64) -> Option<Value> {
        let pages = self.pages();
        let page = pages.rules.get(&id)?;
        Some(json!({"exchanges": page.exchanges}))
    }

    /// Writes down what passed in a call that was watched, and which function made it, if that is known.
    pub(super) fn write_down(
        &self,
        strike: &Strike,
        function: Option<&str>,
        service: Service,
        request: &Message,
        response: &Message,
    ) {
        let text = |message: &Message| String::from_utf8_lossy(message.body()).into_owned();
        let exchange = json!({
            "function": function,
            "service": service.name(),
            "call": service.call(request),
            "request": text(request),
            "status": response.status(),
            "answer": text(response),
        });
        if let Some(page) = self.pages().rules.get_mut(&strike.rule) {
            page.exchanges.push(exchange);
        }
    }

    /// What has become of all rules.
    pub(super) fn all(&self) -> Vec<Value> {
        let pages = self.pages();
        let rules = pages.rules.iter();
        rules.map(|(id, page)| page.describe(*id)).collect()
    }

    /// Lets go what a rule holds, and whatever it would hold. Answers what has become of the rule.
    pub(super) fn release(&self, id: u64) -> Option<Value> {
        let mut pages = self.pages();
        let page = pages.rules.get_mut(&id)?;
        page.released = true;
        let now = page.describe(id);
        drop(pages);
        self.changed.notify_all();
        Some(now)
    }

    /// Takes a rule off; what it holds goes on. Answers what has become of it.
    pub(super) fn disarm(&self, id: u64) -> Option<Value> {
        let mut pages = self.pages();
        let page = pages.rules.remove(&id)?;
        self.armed.store(pages.rules.len(), Ordering::SeqCst);
        drop(pages);
        self.changed.notify_all();
        Some(page.describe(id))
    }

    /// Takes all rules off; what they hold goes on.
    pub(super) fn disarm_all(&self) {
        let mut pages = self.pages();
        pages.rules.clear();
        self.armed.store(0, Ordering::SeqCst);
        drop(pages);
        self.changed.notify_all();
    }

    /// Judges a call: the first rule that it falls under strikes it. `caller` finds out who calls, which
    /// is asked only where a rule wants to know.
    pub(super) fn judge(
        &self,
        service: Service,
        request: &Message,
        caller: impl FnOnce() -> Result<Option<Caller>, String>,
    ) -> Option<Strike> {
        if self.armed.load(Ordering::SeqCst) == 0 {
            return None;
        }
        let texts = self.texts(service, request);
        let is_write = service.is_write(request);
        let about = |rule: &Rule| {
            (is_write || !rule.writes_only)
                && rule.service.is_none_or(|wanted| wanted == service)
                && texts.iter().any(|text| text.contains(&rule.contains))
        };
        let (mut any, mut needs_caller) = (false, false);
        for page in self.pages().rules.values() {
            if about(&page.rule) && page.hits < page.rule.times {
                any = true;
                needs_caller |= page.rule.needs_caller();
            }
        }
        if !any {
            return None;
        }
        // Not under the lock: this takes milliseconds.
        let caller = if needs_caller { caller() } else { Ok(None) };

        let mut pages = self.pages();
        for (id, page) in &mut pages.rules {
            if !about(&page.rule) || page.hits >= page.rule.times {
                continue;
            }
            if page.rule.needs_caller() {
                match &caller {
                    Err(trouble) => {
                        page.trouble = Some(trouble.clone());
                        continue;
                    }
                    Ok(None) => continue,
                    Ok(Some(caller)) => {
                        let wanted = page.rule.function.as_ref();
                        if wanted.is_some_and(|wanted| *wanted != caller.function) {
                            continue;
                        }
                    }
                }
            }
            page.seen += 1;
            if page.seen <= page.rule.skip {
                continue;
            }
            page.hits += 1;
            let call = service.call(request);
            println!("rule {id}: {} {call}", page.rule.action.name());
            page.calls.push(call);
            return Some(Strike {
                rule: *id,
                action: page.rule.action,
                hang: page.rule.hang,
            });
        }
        None
    }

    /// Waits until the rule of a strike is released or taken off, and no longer than `limit`.
    pub(super) fn wait(&self, strike: &Strike, limit: Option<Duration>) {
        let mut pages = self.pages();
        if let Some(page) = pages.rules.get_mut(&strike.rule) {
            page.holding += 1;
        }
        let held = |pages: &mut Pages| {
            let page = pages.rules.get(&strike.rule);
            page.is_some_and(|page| !page.released)
        };
        let waited = self
            .changed
            .wait_timeout_while(pages, limit.unwrap_or(HELD), held);
        let (mut pages, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = pages.rules.get_mut(&strike.rule) {
            page.holding -= 1;
        }
    }

    /// Remembers whose intent the gateway has just created, since later calls name the intent alone.
    pub(super) fn learn(&self, request: &Message, response: &Message) {
        if request.method() != "POST" || !request.target().ends_with("/v1/payment_intents") {
            return;
        }
        let created: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let text = |pointer| created.pointer(pointer).and_then(Value::as_str);
        if let (Some(intent), Some(order)) = (text("/id"), text("/metadata/order_id")) {
            let mut intents = lock(&self.intents);
            intents.insert(intent.to_owned(), order.to_owned());
        }
    }

    /// What a rule looks for its text in: the path, the body, and the orders of the intents in both.
    fn texts(&self, service: Service, request: &Message) -> Vec<String> {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let mut texts = vec![request.target().to_owned(), body];
        if service == Service::Gateway {
            let intents = lock(&self.intents);
            let orders: Vec<String> = texts
                .iter()
                .flat_map(|text| service::intents(text))
                .filter_map(|intent| intents.get(intent).cloned())
                .collect();
            texts.extend(orders);
        }
        texts
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        lock(&self.pages)
    }
}

impl Page {
    fn describe(&self, id: u64) -> Value {
        json!({
            "id": id,
            "action": self.rule.action.name(),
            "function": self.rule.function,
            "contains": self.rule.contains,
            "seen": self.seen,
            "hits": self.hits,
            "holding": self.holding,
            "released": self.released,
            "calls": self.calls,
            "trouble": self.trouble,
        })
    }
}

/// Nobody panics while holding a lock here, and if somebody did, the counts would still be counts.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Action, Book, Message, Rule, Service};

    fn request(text: &str) -> Message {
        Message::request(&mut text.as_bytes()).unwrap().unwrap()
    }

    fn put(item: &str) -> Message {
        let length = item.len();
        request(&format!(
            "POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Length: {length}\r\n\r\n{item}"
        ))
    }

    fn judged(book: &Book, service: Service, request: &Message) -> Option<Action> {
        let nobody = || Ok(None);
        book.judge(service, request, nobody)
            .map(|strike| strike.action)
    }

    #[test]
    fn a_rule_strikes_what_it_is_about_as_often_as_it_says() {
        let book = Book::default();
        let rule = json!({"contains": "ORDER#1", "skip": 1, "times": 2, "action": "refuse"});
        let id = book.arm(Rule::read(&rule).unwrap());

        assert_eq!(judged(&book, Service::Cloud, &put("ORDER#2")), None);
        let struck: Vec<bool> = (0..4)
            .map(|_| judged(&book, Service::Cloud, &put("ORDER#1")).is_some())
            .collect();
        assert_eq!(struck, [false, true, true, false]);
        let now = book.look_up(id).unwrap();
        assert_eq!(
            (&now["hits"], &now["calls"]),
            (&json!(2), &json!(["PutItem", "PutItem"]))
        );
    }

    #[test]
    fn a_rule_of_a_function_leaves_other_callers_alone() {
        let book = Book::default();
        let rule = json!({"function": "oxcart-login", "action": "refuse"});
        book.arm(Rule::read(&rule).unwrap());
        assert_eq!(judged(&book, Service::Cloud, &put("x")), None);
    }

    #[test]
    fn where_callers_cannot_be_told_the_rule_says_so() {
        let book = Book::default();
        let id = book.arm(Rule::read(&json!({"action": "kill"})).unwrap());
        let strike = book.judge(Service::Cloud, &put("x"), || Err("no /proc".to_owned()));
        assert!(strike.is_none());
        assert_eq!(book.look_up(id).unwrap()["trouble"], "no /proc");
    }

    #[test]
    fn calls_on_an_intent_are_about_its_order() {
        let book = Book::default();
        book.arm(Rule::read(&json!({"contains": "order-7", "action": "throttle"})).unwrap());
        let created = r#"{"id": "pi_9z", "metadata": {"order_id": "order-7"}}"#;
        let create = request("POST /v1/payment_intents HTTP/1.1\r\n\r\n");
        book.learn(&create, &Message::of_our_own("200 OK", &[], created));

        let confirm = request("POST /v1/payment_intents/pi_9z/confirm HTTP/1.1\r\n\r\n");
        assert_eq!(
            judged(&book, Service::Gateway, &confirm),
            Some(Action::Throttle)
        );
        let other = request("POST /v1/payment_intents/pi_8y/confirm HTTP/1.1\r\n\r\n");
        assert_eq!(judged(&book, Service::Gateway, &other), None);
    }

    #[test]
    fn what_is_held_goes_on_when_it_is_released() {
        let book = Book::default();
        let id = book.arm(Rule::read(&json!({"action": "hold"})).unwrap());
        let strike = book.judge(Service::Cloud, &put("x"), || Ok(None)).unwrap();
        std::thread::scope(|scope| {
            let held = scope.spawn(|| book.wait(&strike, None));
            while book.look_up(id).unwrap()["holding"] == 0 {
                std::thread::yield_now();
            }
            book.release(id).unwrap();
            held.join().unwrap();
        });
        assert_eq!(book.look_up(id).unwrap()["holding"], 0);
    }
}
