//! Counters that anyone may increment.
//!
//! Each line that the module logs is one JSON object. `event` says what happened, and all else is about it:
//! `{"event":"counter_incremented","id":1,"sender":"c200…","value":3}`.

use serde_json::json;
use spacetimedb::{ReducerContext, Table};

/// No counter goes higher. A client that gets there is told, and nothing is written.
const HIGHEST: i64 = 1_000_000_000;

#[spacetimedb::table(accessor = counter, public)]
pub struct Counter {
    #[primary_key]
    pub id: u32,
    pub value: i64,
}

/// Runs once, when the database is made. An update of the module does not run it again.
#[spacetimedb::reducer(init)]
pub fn init(ctx: &ReducerContext) {
    ctx.db.counter().insert(Counter { id: 0, value: 0 });
    log::info!("{}", json!({ "event": "initialised", "counters": ctx.db.counter().count() }));
}

/// Adds one to a counter, which is made if it is not there.
#[spacetimedb::reducer]
pub fn increment_counter(ctx: &ReducerContext, id: u32) -> Result<(), String> {
    let found = ctx.db.counter().id().find(id);
    let value = found.as_ref().map_or(0, |row| row.value) + 1;
    if value > HIGHEST {
        log::warn!("{}", json!({ "event": "counter_full", "id": id, "sender": ctx.sender().to_string() }));
        return Err(format!("counter {id} is full: it can't go above {HIGHEST}"));
    }
    match found {
        Some(_) => ctx.db.counter().id().update(Counter { id, value }),
        None => ctx.db.counter().insert(Counter { id, value }),
    };
    log::info!(
        "{}",
        json!({ "event": "counter_incremented", "id": id, "value": value, "sender": ctx.sender().to_string() })
    );
    Ok(())
}

/// Succeeds when the first counter is there and each value is one that increments can lead to. It changes nothing, so that
/// it may be called at any time.
#[spacetimedb::reducer]
pub fn health_check(ctx: &ReducerContext) -> Result<(), String> {
    if ctx.db.counter().id().find(0).is_none() {
        return Err(unhealthy("counter 0 is missing"));
    }
    if let Some(row) = ctx.db.counter().iter().find(|row| !(0..=HIGHEST).contains(&row.value)) {
        return Err(unhealthy(&format!("counter {} is {}", row.id, row.value)));
    }
    log::info!("{}", json!({ "event": "healthy", "counters": ctx.db.counter().count() }));
    Ok(())
}

fn unhealthy(reason: &str) -> String {
    log::error!("{}", json!({ "event": "unhealthy", "reason": reason }));
    format!("unhealthy: {reason}")
}
