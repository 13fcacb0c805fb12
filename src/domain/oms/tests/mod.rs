//! Tests of the order management: a rule each, by events and effects alone.

mod decision_price;
mod desk;
mod doubt;
mod ends;
mod evidence;
mod life;
mod money;
mod replay;
mod restraint;
mod seen;
mod starts;
mod states;
