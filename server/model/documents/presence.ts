import type { ObjectId } from 'mongodb';
import type { DeviceInfo } from './accounts.ts';

export interface PresenceDocument {
  _id: ObjectId;
  user_id: ObjectId;
  status: 'online' | 'away' | 'busy' | 'offline';
  last_active: Date;
  custom_status?: string;
  device_info?: DeviceInfo;
  /** As in `UserDocument`. */
  version?: number;
}
