//! The contract as a whole: from bytes and headers to a handler's record or the answer that refuses
//! it.

#[cfg(test)]
mod batch;
#[cfg(test)]
mod chance;
#[cfg(test)]
mod decode;
#[cfg(test)]
mod input;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod sent;
