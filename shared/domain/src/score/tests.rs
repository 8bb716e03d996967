mod events;
mod histories;
mod vectors;
mod window;
