//! The scheduled sweep.

use crate::failure::Outcome;
use crate::world::World;

/// Runs the scheduled sweep once and waits until it is done.
///
/// # Errors
/// If the sweep fails.
pub async fn sweep(world: &World) -> Outcome {
    world.sweep().await
}
