/** Packs payloads as Python does. */

/** A payload as Python packs it. */
export function pack(header, arrays) {
  const directory = {};
  let size = 0;
  for (const [path, { data, shape }] of Object.entries(arrays)) {
    const dtype = { Float32Array: "float32", Int32Array: "int32", Uint8Array: "uint8" }[data.constructor.name];
    directory[path] = { dtype, shape, offset: size };
    size += Math.ceil(data.byteLength / 8) * 8;
  }
  const text = new TextEncoder().encode(JSON.stringify({ ...header, arrays: directory }));
  const start = Math.ceil((8 + text.length) / 8) * 8;
  const bytes = new Uint8Array(start + size);
  bytes.set(new TextEncoder().encode("AVZ1"));
  new DataView(bytes.buffer).setUint32(4, text.length, true);
  bytes.set(text, 8);
  for (const [path, { data }] of Object.entries(arrays)) bytes.set(new Uint8Array(data.buffer), start + directory[path].offset);
  return bytes;
}
