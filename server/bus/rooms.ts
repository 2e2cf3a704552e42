/** The names of rooms, which are also those of their channels. A socket's own room is named by its id. */
export const userRoom = (id: string) => `user:${id}`;
export const sessionRoom = (id: string) => `session:${id}`;
export const groupRoom = (id: string) => `group:${id}`;
