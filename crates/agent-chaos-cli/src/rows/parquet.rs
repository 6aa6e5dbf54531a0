//! Rows as a Parquet file.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use agent_chaos_core::sweep::{Kind, Row};
use agent_chaos_core::wire::Node;
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;
use serde_json::json;

use super::Layout;
use crate::failure::Failure;

/// So many rows are one group of the file.
const ROWS_PER_GROUP: usize = 100_000;

/// Writes all rows; the units of the columns and what they are stand in the file's metadata, under
/// `agent_chaos.columns`.
pub fn write(path: &Path, layout: &Layout, rows: &[Row]) -> Result<(), Failure> {
    let file =
        File::create(path).map_err(|error| Failure::file(path, "cannot be written", &error))?;
    write_to(file, layout, rows).map_err(|error| {
        let error = std::io::Error::other(error);
        Failure::file(path, "cannot be written", &error)
    })
}

fn write_to(file: File, layout: &Layout, rows: &[Row]) -> Result<(), ParquetError> {
    let columns = layout.columns();
    let fields = columns.iter().map(|column| {
        let (physical, logical) = match column.kind {
            Kind::Whole => (Physical::INT64, None),
            Kind::Real => (Physical::DOUBLE, None),
            Kind::Flag => (Physical::BOOLEAN, None),
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        Type::primitive_type_builder(column.name, physical)
            .with_logical_type(logical)
            .with_repetition(Repetition::OPTIONAL)
            .build()
            .map(Arc::new)
    });
    let fields = fields.collect::<Result<_, _>>()?;
    let schema = Type::group_type_builder("row")
        .with_fields(fields)
        .build()?;
    let about = columns.iter().map(
        |column| json!({ "name": column.name, "unit": column.unit, "description": column.about }),
    );
    let about = KeyValue::new(
        "agent_chaos.columns".to_owned(),
        serde_json::Value::from_iter(about).to_string(),
    );
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("agent-chaos {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![about]))
        .build();
    let mut file = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))?;
    for rows in rows.chunks(ROWS_PER_GROUP) {
        let mut group = file.next_row_group()?;
        for (index, column) in columns.iter().enumerate() {
            let cells = rows.iter().map(|row| &row.values[index]);
            let Some(mut writer) = group.next_column()? else {
                break;
            };
            write_column(&mut writer, column.kind, cells)?;
            writer.close()?;
        }
        group.close()?;
    }
    file.close()?;
    Ok(())
}

/// What is there, and for each row whether something is.
fn write_column<'a>(
    writer: &mut SerializedColumnWriter<'_>,
    kind: Kind,
    cells: impl Iterator<Item = &'a Node>,
) -> Result<(), ParquetError> {
    let (mut whole, mut real, mut flags, mut texts) = (vec![], vec![], vec![], vec![]);
    let mut levels: Vec<i16> = Vec::new();
    for cell in cells {
        levels.push(i16::from(*cell != Node::Null));
        match cell {
            Node::Whole(number) => whole.push(number.cast_signed()),
            Node::Real(number) => real.push(*number),
            Node::Bool(answer) => flags.push(*answer),
            Node::Text(text) => texts.push(ByteArray::from(text.as_bytes().to_vec())),
            _ => {}
        }
    }
    let levels = Some(&levels[..]);
    match kind {
        Kind::Whole => writer
            .typed::<Int64Type>()
            .write_batch(&whole, levels, None)?,
        Kind::Real => writer
            .typed::<DoubleType>()
            .write_batch(&real, levels, None)?,
        Kind::Flag => writer
            .typed::<BoolType>()
            .write_batch(&flags, levels, None)?,
        Kind::Text => writer
            .typed::<ByteArrayType>()
            .write_batch(&texts, levels, None)?,
    };
    Ok(())
}
