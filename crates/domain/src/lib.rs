//! The words and rules of Postrider: no I/O, no clock, no chance, no async.

pub mod destination;
pub mod health;
pub mod id;
pub mod in_flight;
pub mod letter;
pub mod matching;
pub mod notification;
pub mod notification_emails;
pub mod order;
pub mod payload;
pub mod records;
pub mod retry;
pub mod retry_after;
pub mod signature;
pub mod success_code;
pub mod time;
pub mod token;
pub mod trouble_mails;
pub mod verdict;
pub mod vocabulary;
pub mod webhook_id;
pub mod webhook_job;
pub mod webhook_out_sub;
