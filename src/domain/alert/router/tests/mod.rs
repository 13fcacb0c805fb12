//! The router on virtual time: a disk that answers when told, channels that fail when told.

mod desk;
mod evidence;
mod life;
mod trouble;
