/** The names of rooms, which are those of their channels, too. A socket's own room has its id for a name. */
export const userRoom = (id: string) => `user:${id}`;
export const sessionRoom = (id: string) => `session:${id}`;
export const groupRoom = (id: string) => `group:${id}`;
