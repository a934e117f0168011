/** What was dropped: the files, with those in dropped folders, and the names of what could not be read. */
interface Dropped {
  files: File[];
  unreadable: string[];
}

export async function droppedFiles(dropped: DataTransfer): Promise<Dropped> {
  // Both must be read before the first pause: the browser empties them after the event.
  const plain = [...dropped.files];
  const entries = [...dropped.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (!entries.some(({ isDirectory }) => isDirectory)) return { files: plain, unreadable: [] };
  return together(await Promise.all(entries.map(filesIn)));
}

const together = (parts: readonly Dropped[]): Dropped => ({
  files: parts.flatMap(({ files }) => files),
  unreadable: parts.flatMap(({ unreadable }) => unreadable),
});

/** One that cannot be read does not keep the others from being taken. */
async function filesIn(entry: FileSystemEntry): Promise<Dropped> {
  try {
    if (isFile(entry)) return { files: [await fileOf(entry)], unreadable: [] };
    if (!isFolder(entry)) return { files: [], unreadable: [] };
    return together(await Promise.all((await entriesOf(entry)).map(filesIn)));
  } catch {
    return { files: [], unreadable: [entry.name] };
  }
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => {
    entry.file(resolve, reject);
  });

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    // What a system keeps for itself, such as .DS_Store, is no document.
    if (some.length === 0) return found.filter(({ name }) => !name.startsWith("."));
    found.push(...some);
  }
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;
