/**
 * All bytes of an object. Throws when the read was cut off, which is to be tried again: it says nothing of what stands in the object, and must
 * not be taken for damage.
 */
export async function wholeObject(object: R2ObjectBody): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(await object.arrayBuffer());
  if (bytes.byteLength !== object.size) {
    throw new Error(`the read of ${object.key} was cut off after ${bytes.byteLength} of ${object.size} bytes`);
  }
  return bytes;
}
