// Stands in for parts of the reference that this page never shows: its chat, its toolbar for developers, its icons for tags.
export default { render: () => null };
export const LibraryIcon = { render: () => null };
