/**
 * store: records → journals of a store, which a process of its own packs into Parquet segments.
 *
 * In    `SafeBatch`: whole NDJSON lines.
 * Out   `DIR/journal-N.ndjson`, and by src/packer.ts `DIR/records-....parquet` and `DIR/rollup-....parquet`; one writer a folder (flock).
 *
 * What src/store reads is laid out here: names of files, seals of journals.
 *
 * @module
 */
export { checkJournal, mendJournal, UNFINISHED } from '../journal.ts'
export type { PackerOptions } from './packer-message.ts'
export { ASIDE, journalName, listStore, lockReaders, rollupName, segmentName, spillFolder, withoutReaders } from './store-folder.ts'
export type { JournalFile, RollupFile, SegmentFile, StoreFiles } from './store-folder.ts'
