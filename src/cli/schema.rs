//! `schema`: JSON schemas, made from the types that read and write.

use std::io::{self, Write as _};

use schemars::schema_for;

use super::{
    Failure,
    args::{SchemaArgs, SchemaOf},
};
use crate::{
    advisories::Advisory,
    config::Config,
    exit::Exit,
    inventory::Line,
    notify::Payload,
    report::{Document, changes},
    vendors::RegisterFile,
};

pub(super) fn run(arguments: &SchemaArgs) -> Result<Exit, Failure> {
    let schema = match arguments.of {
        SchemaOf::Config => schema_for!(Config),
        SchemaOf::Report => schema_for!(Document),
        SchemaOf::Advisory => schema_for!(Advisory),
        SchemaOf::Inventory => schema_for!(Line<'static>),
        SchemaOf::Register => schema_for!(RegisterFile),
        SchemaOf::Diff => schema_for!(changes::Document),
        SchemaOf::Notification => schema_for!(Payload<'static>),
    };
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &schema).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(Exit::Clean)
}
